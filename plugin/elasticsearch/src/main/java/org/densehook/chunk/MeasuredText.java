package org.densehook.chunk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A text and its prefix under a rule, with the encoder's own count of tokens. */
final class MeasuredText {

  /**
   * Code points that the tokenizer is given at once, and that a chunk has, at most: what is longer
   * is too long uncounted. So a text of any length takes bounded memory, and no chunk has more
   * UTF-16 code units than a text may have.
   */
  static final int AT_ONCE = 500_000;

  /** Stands for the tokens of what no chunk holds. */
  static final int TOO_MANY = Integer.MAX_VALUE;

  // code points of parts that are counted in one go, and perhaps beyond the last chunk in vain
  private static final int TOGETHER = 1 << 16;

  private final int[] text;
  private final int most;
  private final Cutter.Sizes sizes;
  private final String prefix;
  private final int around; // tokens that the model reads beside those of the text
  private final int room; // those that are left for it

  /** Refuses a rule by which what is around a chunk leaves its text no room. */
  MeasuredText(LongText whole, ChunkRule rule, Cutter.Sizes sizes) throws Exception {
    text = whole.text().codePoints().toArray();
    most = rule.maxTokens();
    prefix = shortened(whole.prefix(), most / 2, sizes);
    this.sizes = texts -> sizes.of(texts.stream().map(prefix::concat).toList());
    around = size("");
    room = rule.roomWithin(around);
  }

  /** Code points of all of it. */
  int length() {
    return text.length;
  }

  /** Tokens of a chunk that are its text's. */
  int room() {
    return room;
  }

  /** Whether there is a space, and no end. */
  boolean isSpace(int at) {
    return at < text.length && Breaks.isSpace(text[at]);
  }

  /** The code points of a part. */
  int[] points(int start, int end) {
    return start == 0 && end == text.length ? text : Arrays.copyOfRange(text, start, end);
  }

  /** What the encoder is given of a part. */
  String content(int start, int end) {
    return prefix + stripped(start, end);
  }

  /** The tokens of a part by itself, without what is around it. */
  int tokens(int start, int end) throws Exception {
    return size(stripped(start, end)) - around;
  }

  /** Whether a part is no more than a chunk holds. */
  boolean fits(int start, int end) throws Exception {
    String part = stripped(start, end);
    return !isTooLong(part) && size(part) <= most;
  }

  /**
   * The tokens of neighbouring parts by themselves, of some at once.
   *
   * @param borders where the first part begins, then where each ends
   * @param first the part to begin with
   * @return those of one part at least, {@link #TOO_MANY} for one that no chunk holds
   */
  int[] counted(int[] borders, int first) throws Exception {
    int last = first + 1;
    while (last + 1 < borders.length && borders[last + 1] - borders[first] <= TOGETHER) {
      last++;
    }
    List<String> texts = new ArrayList<>(last - first);
    for (int i = first; i < last; i++) {
      texts.add(stripped(borders[i], borders[i + 1]));
    }
    if (isTooLong(texts.get(0))) { // of several none is
      return new int[] {TOO_MANY};
    }
    return Arrays.stream(sizes.of(texts))
        .map(size -> size <= most ? size - around : TOO_MANY)
        .toArray();
  }

  private int size(String part) throws Exception {
    return sizes.of(List.of(part))[0];
  }

  private static boolean isTooLong(String part) {
    return part.length() > AT_ONCE && part.codePointCount(0, part.length()) > AT_ONCE;
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

  /** As many words of a prefix as have so many tokens at most. */
  private static String shortened(String prefix, int tokens, Cutter.Sizes sizes) throws Exception {
    int[] points = prefix.codePoints().limit(AT_ONCE).toArray();
    int[] ends = Breaks.words(points).stream().mapToInt(Integer::intValue).toArray();
    int fits =
        Halving.before(ends, end -> sizes.of(List.of(new String(points, 0, end)))[0] > tokens);
    return fits == 0 ? "" : new String(points, 0, ends[fits - 1]);
  }
}
