package org.densehook.chunk;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;

/**
 * The pieces of a part of a text that are ahead, made as they are asked for: sentences, words,
 * parts of words. The next chunk begins with the first one.
 */
final class Pieces {

  /** How a text is taken apart: what is too long by one is taken apart by the next. */
  private static final List<Function<int[], List<Integer>>> BY_SENTENCE =
      List.of(Breaks::sentences, Breaks::words);

  private static final List<Function<int[], List<Integer>>> BY_TOKENS = List.of(Breaks::words);

  private final MeasuredText text;
  private final List<Piece> ahead = new ArrayList<>();
  private final Deque<Spans> open = new ArrayDeque<>(); // those taken apart now, the finest last

  Pieces(MeasuredText text, int start, int end, ChunkRule rule) {
    this.text = text;
    boolean byTokens = rule.by().equals(ChunkRule.BY_TOKENS);
    open.addLast(new Spans(start, end, byTokens ? BY_TOKENS : BY_SENTENCE, false));
  }

  /** Neighbouring parts that one way tells apart. */
  private final class Spans {

    private final int[] borders; // where the first begins, then where each ends
    private final List<Function<int[], List<Integer>>> finer;
    private int at; // the next part
    private int first; // of those that are counted
    private int[] counted;

    /** Of a part that is known to be too long, or not. */
    Spans(int start, int end, List<Function<int[], List<Integer>>> ways, boolean isLong) {
      List<Integer> ends = ways.get(0).apply(text.points(start, end));
      borders = new int[ends.size() + 1];
      borders[0] = start;
      for (int i = 0; i < ends.size(); i++) {
        borders[i + 1] = start + ends.get(i);
      }
      finer = ways.subList(1, ways.size());
      counted = isLong && ends.size() == 1 ? new int[] {MeasuredText.TOO_MANY} : new int[0];
    }

    boolean isEmpty() {
      return at + 1 == borders.length;
    }

    /** Takes the next part: a piece, or to be taken apart itself. */
    void take() throws Exception {
      if (at == first + counted.length) {
        first = at;
        counted = text.counted(borders, at);
      }
      int tokens = counted[at - first];
      int start = borders[at];
      at++;
      int end = borders[at];
      if (tokens != MeasuredText.TOO_MANY) {
        ahead.add(Piece.whole(start, end, tokens));
      } else if (finer.isEmpty()) {
        ahead.add(Piece.longOne(start, end));
      } else {
        open.addLast(new Spans(start, end, finer, true));
      }
    }
  }

  /** Whether there are as many that there is one at this place. */
  boolean has(int place) throws Exception {
    while (ahead.size() <= place && !open.isEmpty()) {
      Spans finest = open.getLast();
      if (finest.isEmpty()) {
        open.removeLast();
      } else {
        finest.take();
      }
    }
    return ahead.size() > place;
  }

  Piece get(int place) {
    return ahead.get(place);
  }

  /** Takes the first ones away. */
  void drop(int count) {
    ahead.subList(0, count).clear();
  }

  /** Takes those away that begin before. */
  void beginAt(int start) {
    while (ahead.get(0).start() < start) {
      drop(1);
    }
  }

  /**
   * Cuts a long word where the chunk of the pieces up to it is full; whether it is cut.
   *
   * <p>It is not where not even its first character fits behind others. With nothing before it the
   * chunk has that one anyway, for no character is cut.
   */
  boolean split(int place) throws Exception {
    Piece word = ahead.get(place);
    int border = border(ahead.get(0).start(), word);
    if (border == word.start()) {
      return false;
    }
    int tokens = text.tokens(word.start(), border);
    ahead.set(place, Piece.part(word.start(), border, tokens));
    if (border < word.end()) {
      ahead.add(place + 1, Piece.longOne(border, word.end()));
    }
    return true;
  }

  /**
   * Leaves of a part of a word its last characters, of so many tokens at most.
   *
   * @return whether it has fewer than before, and any
   */
  boolean shorten(int place, int most) throws Exception {
    Piece part = ahead.get(place);
    int[] ends = graphemes(part.start(), part.end());
    int[] inner = Arrays.copyOf(ends, ends.length - 1);
    int first = Halving.before(inner, border -> text.tokens(border, part.end()) <= most);
    if (first == inner.length) {
      return false;
    }
    int tokens = text.tokens(inner[first], part.end());
    ahead.set(place, Piece.part(inner[first], part.end(), tokens));
    return true;
  }

  /**
   * The last border of a word up to which a chunk from a place fits.
   *
   * <p>It is looked for in steps that double, then halve, so that the tokenizer is asked as often
   * as the length of a chunk has binary digits, and is not given much more than a chunk.
   */
  private int border(int start, Piece word) throws Exception {
    int width = text.room();
    int longest = Math.min(word.end() - word.start(), MeasuredText.AT_ONCE);
    while (width < longest && text.fits(start, word.start() + width)) {
      width *= 2;
    }
    int[] borders = borders(word, width);
    int fitting = Halving.before(borders, border -> !text.fits(start, border));
    if (fitting == 0) {
      return start == word.start() ? borders[0] : word.start();
    }
    int border = borders[fitting - 1];
    // the spaces behind a word are of no chunk's content
    return border < word.end() && text.isSpace(border) ? word.end() : border;
  }

  /** Where characters of a word end, up to about so many code points of it: one at least. */
  private int[] borders(Piece word, int width) {
    int end = Math.min(word.start() + width, word.end());
    int[] borders = graphemes(word.start(), end);
    if (end == word.end()) {
      return borders;
    }
    if (borders.length == 1) {
      return width < MeasuredText.AT_ONCE ? borders(word, 2 * width) : borders;
    }
    return Arrays.copyOf(borders, borders.length - 1); // the last may be within a character
  }

  private int[] graphemes(int start, int end) {
    return Breaks.graphemes(text.points(start, end)).stream()
        .mapToInt(border -> start + border)
        .toArray();
  }
}
