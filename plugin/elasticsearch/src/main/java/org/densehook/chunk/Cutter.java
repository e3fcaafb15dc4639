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

  private final LongText whole;
  private final int[] text;
  private final ChunkRule rule;
  private final Sizes sizes;
  private final String prefix;
  private final int around; // tokens that the model reads beside those of the text
  private final List<Piece> pieces = new ArrayList<>(); // of the part that is being cut
  private int[] before; // tokens before each piece: a sum is a difference

  private Cutter(LongText whole, ChunkRule rule, Sizes sizes) throws Exception {
    this.whole = whole;
    text = whole.text().codePoints().toArray();
    this.rule = rule;
    prefix = shortened(whole.prefix(), rule.maxTokens() / 2, sizes);
    this.sizes = texts -> sizes.of(texts.stream().map(prefix::concat).toList());
    around = size("");
  }

  /**
   * The chunks of a text, in its order; each character is in one at least, but for overlaps.
   *
   * @throws IllegalArgumentException for a text of too many chunks
   * @throws Exception what {@code sizes} throws
   */
  public static Cut cut(LongText text, ChunkRule rule, Sizes sizes) throws Exception {
    return new Cutter(text, rule, sizes).cut();
  }

  private Cut cut() throws Exception {
    List<Chunk> chunks = new ArrayList<>();
    List<LongText.Part> parts =
        whole.parts().isEmpty() ? List.of(new LongText.Part(0, null)) : whole.parts();
    for (int i = 0; i < parts.size(); i++) {
      int end = i + 1 < parts.size() ? parts.get(i + 1).start() : text.length;
      if (!addChunks(parts.get(i), end, chunks)) {
        return new Cut(chunks, true);
      }
    }
    return new Cut(chunks, false);
  }

  /** Adds the chunks of a part; whether all of them are taken. */
  private boolean addChunks(LongText.Part part, int partEnd, List<Chunk> chunks) throws Exception {
    pieces.clear();
    apart(part.start(), partEnd, rule.by().equals(ChunkRule.BY_TOKENS) ? BY_TOKENS : BY_SENTENCE);
    before = new int[pieces.size() + 1];
    for (int i = 0; i < pieces.size(); i++) {
      before[i + 1] = before[i] + pieces.get(i).tokens;
    }
    int start = 0;
    int covered = 0;
    while (covered < pieces.size()) {
      int end = end(start);
      if (end <= covered) { // what it repeats leaves no room for more
        start = covered;
        continue;
      }
      if (chunks.size() == rule.maxChunks()) {
        requireNotRefused();
        return false;
      }
      int first = pieces.get(start).start;
      int last = pieces.get(end - 1).end;
      chunks.add(new Chunk(first, last, prefix + stripped(first, last), part.name()));
      covered = end;
      start = next(start, end);
    }
    return true;
  }

  private void requireNotRefused() {
    if (rule.beyond().equals(ChunkRule.REFUSE)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "its text of %,d characters has more than %d chunks; cut it into several documents,"
                  + " raise max_chunks of the field's chunk, or let what is beyond it be left out"
                  + " (beyond: \"cut\")",
              text.length,
              rule.maxChunks()));
    }
  }

  /** As many words of a prefix as have so many tokens at most. */
  private static String shortened(String prefix, int tokens, Sizes sizes) throws Exception {
    int[] points = prefix.codePoints().toArray();
    List<Integer> ends = Breaks.words(points);
    int fits = 0;
    int beyond = ends.size();
    while (fits < beyond) {
      int middle = (fits + beyond) / 2;
      String words = new String(points, 0, ends.get(middle));
      if (sizes.of(List.of(words))[0] > tokens) {
        beyond = middle;
      } else {
        fits = middle + 1;
      }
    }
    return fits == 0 ? "" : new String(points, 0, ends.get(fits - 1));
  }

  private void apart(int start, int end, List<Function<int[], List<Integer>>> ways)
      throws Exception {
    int[] part = Arrays.copyOfRange(text, start, end);
    List<Function<int[], List<Integer>>> finer = ways.subList(1, ways.size());
    List<Integer> borders = ways.get(0).apply(part);
    List<String> spans = new ArrayList<>(borders.size());
    int from = start;
    for (int border : borders) {
      spans.add(stripped(from, start + border));
      from = start + border;
    }
    int[] tokens = sizes.of(spans);
    from = start;
    for (int i = 0; i < tokens.length; i++) {
      int to = start + borders.get(i);
      if (tokens[i] > rule.maxTokens() && !finer.isEmpty()) {
        apart(from, to, finer);
      } else {
        pieces.add(new Piece(from, to, tokens[i] - around));
      }
      from = to;
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
    return size(stripped(start, end)) <= rule.maxTokens();
  }

  private int size(String part) throws Exception {
    return sizes.of(List.of(part))[0];
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

  private String stripped(int start, int end) {
    int first = start;
    int last = end;
    while (first < last && Breaks.isSpace(text[first])) {
      first++;
    }
    while (last > first && Breaks.isSpace(text[last - 1])) {
      last--;
    }
    return new String(text, first, last - first);
  }
}
