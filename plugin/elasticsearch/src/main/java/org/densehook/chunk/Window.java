package org.densehook.chunk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Chunks that are read together, for late chunking: each is encoded with those around it, and its
 * vector is pooled of its own tokens (Günther et al. 2024, https://arxiv.org/abs/2409.04701).
 *
 * @param content what the encoder is given
 * @param spans the first code point of it of each chunk, and the one behind its last
 */
public record Window(String content, List<int[]> spans) {

  /** The chunks of a text, in windows of at most so many tokens, where a chunk has no more. */
  public static List<Window> of(String text, List<Chunk> chunks, int most, Cutter.Sizes sizes)
      throws Exception {
    int[] points = text.codePoints().toArray();
    int around = sizes.of(List.of(""))[0];
    int[] tokens = sizes.of(chunks.stream().map(Chunk::content).toList());
    List<Window> windows = new ArrayList<>();
    for (int first = 0; first < chunks.size(); ) {
      int last = first + 1;
      int total = tokens[first];
      while (last < chunks.size() && total + tokens[last] - around <= most) {
        total += tokens[last] - around;
        last++;
      }
      Window window = of(points, chunks.subList(first, last));
      // what chunks have by themselves is nearly what they have together
      while (last > first + 1 && sizes.of(List.of(window.content))[0] > most) {
        last--;
        window = of(points, chunks.subList(first, last));
      }
      windows.add(window);
      first = last;
    }
    return windows;
  }

  private static Window of(int[] text, List<Chunk> chunks) {
    int start = chunks.get(0).start();
    int end = chunks.get(chunks.size() - 1).end();
    while (start < end && Breaks.isSpace(text[start])) {
      start++;
    }
    while (end > start && Breaks.isSpace(text[end - 1])) {
      end--;
    }
    List<int[]> spans = new ArrayList<>(chunks.size());
    for (Chunk chunk : chunks) {
      int from = Math.max(0, chunk.start() - start);
      spans.add(new int[] {from, Math.min(chunk.end(), end) - start});
    }
    return new Window(new String(text, start, end - start), spans);
  }

  /** Two of the same text and chunks are one. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Window window
        && content.equals(window.content)
        && Arrays.deepEquals(spans.toArray(), window.spans.toArray());
  }

  @Override
  public int hashCode() {
    return 31 * content.hashCode() + Arrays.deepHashCode(spans.toArray());
  }
}
