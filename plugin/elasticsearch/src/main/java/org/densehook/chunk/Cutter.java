package org.densehook.chunk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Cuts a text by a rule: the algorithm that the Python package has, too.
 *
 * <p>A chunk is as many sentences as it takes, or words; a sentence that is too long by itself is
 * cut between words, a word between graphemes.
 */
public final class Cutter {

  /** How many tokens the model reads of texts, those around each included. */
  @FunctionalInterface
  public interface Sizes {

    /** One number for each text, in their order; may fail as the tokenizer does. */
    int[] of(List<String> texts) throws Exception;
  }

  /** What is not cut: where it begins and ends, and its tokens by itself. */
  private record Piece(int start, int end, int tokens) {}

  private static final List<Function<int[], List<Integer>>> BY_SENTENCE =
      List.of(Breaks::sentences, Breaks::words, Breaks::graphemes);
  private static final List<Function<int[], List<Integer>>> BY_TOKENS =
      List.of(Breaks::words, Breaks::graphemes);

  private final int[] text;
  private final ChunkRule rule;
  private final Sizes sizes;
  private final int around; // tokens that the model reads beside those of the text
  private final List<Piece> pieces = new ArrayList<>();
  private final int[] before; // tokens before each piece: a sum is a difference

  private Cutter(String text, ChunkRule rule, Sizes sizes) throws Exception {
    this.text = text.codePoints().toArray();
    this.rule = rule;
    this.sizes = sizes;
    around = sizes.of(List.of(""))[0];
    apart(0, this.text.length, rule.by().equals(ChunkRule.BY_SENTENCE) ? BY_SENTENCE : BY_TOKENS);
    before = new int[pieces.size() + 1];
    for (int i = 0; i < pieces.size(); i++) {
      before[i + 1] = before[i] + pieces.get(i).tokens;
    }
  }

  /**
   * The chunks of a text, in its order; each character is in one at least, but for overlaps.
   *
   * @throws IllegalArgumentException for a text of too many chunks
   * @throws Exception what {@code sizes} throws
   */
  public static List<Chunk> cut(String text, ChunkRule rule, Sizes sizes) throws Exception {
    return new Cutter(text, rule, sizes).chunks();
  }

  private List<Chunk> chunks() throws Exception {
    List<Chunk> chunks = new ArrayList<>();
    int start = 0;
    int covered = 0;
    while (covered < pieces.size()) {
      int end = end(start);
      if (end <= covered) { // what it repeats leaves no room for more
        start = covered;
        continue;
      }
      if (chunks.size() == rule.maxChunks()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "its text of %,d characters has more than %d chunks; cut it into several documents,"
                    + " or raise max_chunks of the field's chunk",
                text.length,
                rule.maxChunks()));
      }
      chunks.add(chunk(pieces.get(start).start, pieces.get(end - 1).end));
      covered = end;
      start = next(start, end);
    }
    return chunks;
  }

  private void apart(int start, int end, List<Function<int[], List<Integer>>> ways)
      throws Exception {
    int[] part = Arrays.copyOfRange(text, start, end);
    List<Function<int[], List<Integer>>> finer = ways.subList(1, ways.size());
    List<Chunk> spans = new ArrayList<>();
    int from = start;
    for (int border : ways.get(0).apply(part)) {
      spans.add(chunk(from, start + border));
      from = start + border;
    }
    int[] tokens = sizes.of(spans.stream().map(Chunk::text).toList());
    for (int i = 0; i < tokens.length; i++) {
      Chunk span = spans.get(i);
      if (tokens[i] > rule.maxTokens() && !finer.isEmpty()) {
        apart(span.start(), span.end(), finer);
      } else {
        pieces.add(new Piece(span.start(), span.end(), tokens[i] - around));
      }
    }
  }

  /** Behind the last piece of the chunk that begins with a piece: one piece at least. */
  private int end(int start) throws Exception {
    int room = rule.maxTokens() - around;
    int end = start + 1;
    while (end < pieces.size() && before[end + 1] - before[start] <= room) {
      end++;
    }
    // what pieces have by themselves is nearly what they have together
    while (end > start + 1 && !fits(pieces.get(start).start, pieces.get(end - 1).end)) {
      end--;
    }
    return end;
  }

  private boolean fits(int start, int end) throws Exception {
    return sizes.of(List.of(chunk(start, end).text()))[0] <= rule.maxTokens();
  }

  /** The piece with which the next chunk begins: it repeats some where there is room. */
  private int next(int start, int end) {
    if (end == pieces.size()) {
      return end;
    }
    int room = rule.maxTokens() - around;
    int next = end;
    while (next - 1 > start
        && before[end] - before[next - 1] <= rule.overlap()
        && before[end + 1] - before[next - 1] <= room) {
      next--;
    }
    return next;
  }

  private Chunk chunk(int start, int end) {
    int first = start;
    int last = end;
    while (first < last && Breaks.isSpace(text[first])) {
      first++;
    }
    while (last > first && Breaks.isSpace(text[last - 1])) {
      last--;
    }
    return new Chunk(start, end, new String(text, first, last - first));
  }
}
