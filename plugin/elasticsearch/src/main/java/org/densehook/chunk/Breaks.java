package org.densehook.chunk;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Where a text, as code points, may be cut: between sentences, words and graphemes, by Unicode's
 * annex 29. The Python package has the same, by the same table; what is a sentence here is one
 * there.
 */
final class Breaks {

  private Breaks() {}

  private enum Sentence {
    NONE,
    ATERM,
    CLOSE,
    CR,
    EXTEND,
    FORMAT,
    LF,
    LOWER,
    NUMERIC,
    OLETTER,
    SCONTINUE,
    SEP,
    SP,
    STERM,
    UPPER
  }

  private enum Grapheme {
    NONE,
    CONTROL,
    CR,
    EXTEND,
    L,
    LF,
    LV,
    LVT,
    PREPEND,
    REGIONAL_INDICATOR,
    SPACINGMARK,
    T,
    V,
    ZWJ
  }

  private enum Joining {
    NONE,
    CONSONANT,
    JOINING,
    LINKER,
    PICTOGRAPHIC
  }

  private static final Set<Sentence> PARAGRAPH_ENDS =
      EnumSet.of(Sentence.SEP, Sentence.CR, Sentence.LF);
  private static final Set<Sentence> SPACES =
      EnumSet.of(Sentence.SEP, Sentence.CR, Sentence.LF, Sentence.SP);
  private static final Set<Sentence> TERMINATORS = EnumSet.of(Sentence.STERM, Sentence.ATERM);
  private static final Set<Sentence> IGNORED = EnumSet.of(Sentence.EXTEND, Sentence.FORMAT);
  // what ends the look ahead for a small letter, by which "etc. and so on" is one sentence
  private static final Set<Sentence> DECIDES =
      EnumSet.of(
          Sentence.OLETTER,
          Sentence.UPPER,
          Sentence.LOWER,
          Sentence.SEP,
          Sentence.CR,
          Sentence.LF,
          Sentence.STERM,
          Sentence.ATERM);
  private static final Set<Grapheme> ALONE = EnumSet.of(Grapheme.CR, Grapheme.LF, Grapheme.CONTROL);
  private static final Set<Grapheme> EXTENDS =
      EnumSet.of(Grapheme.EXTEND, Grapheme.ZWJ, Grapheme.SPACINGMARK);
  private static final Set<Grapheme> BEHIND_L =
      EnumSet.of(Grapheme.L, Grapheme.V, Grapheme.LV, Grapheme.LVT);

  private static final int HANGUL_FIRST = 0xAC00;
  private static final int HANGUL_LAST = 0xD7A3;
  private static final int HANGUL_TAILS = 28;

  private static final List<String> LINES = lines();
  private static final Table<Sentence> SENTENCE = new Table<>(Sentence.class, "S.");
  private static final Table<Grapheme> GRAPHEME = new Table<>(Grapheme.class, "G.");
  private static final Table<Joining> JOINING = new Table<>(Joining.class, "G.");

  /** Where sentences end, the text's own end last; each has the spaces behind it. */
  static List<Integer> sentences(int[] text) {
    List<Integer> ends = new ArrayList<>();
    int at = 0;
    while (at < text.length) {
      Sentence kind = sentence(text, at);
      int end =
          PARAGRAPH_ENDS.contains(kind) || TERMINATORS.contains(kind)
              ? endOfSentence(text, at, kind)
              : -1;
      if (end >= 0) {
        ends.add(end);
      }
      at = end >= 0 ? end : at + 1;
    }
    return closed(ends, text.length);
  }

  /** Where words end, as spaces tell them apart; each has the spaces behind it. */
  static List<Integer> words(int[] text) {
    List<Integer> ends = new ArrayList<>();
    for (int at = 1; at < text.length; at++) {
      if (isSpace(text[at - 1]) && !isSpace(text[at])) {
        ends.add(at);
      }
    }
    return closed(ends, text.length);
  }

  private static List<Integer> closed(List<Integer> ends, int length) {
    if (length > 0 && (ends.isEmpty() || ends.get(ends.size() - 1) < length)) {
      ends.add(length);
    }
    return ends;
  }

  static boolean isSpace(int codePoint) {
    return SPACES.contains(SENTENCE.of(codePoint));
  }

  /** Where the sentence ends that the character at a place may end; -1 when it does not. */
  private static int endOfSentence(int[] text, int at, Sentence kind) {
    if (PARAGRAPH_ENDS.contains(kind)) {
      return behindParagraph(text, at);
    }
    int after = behindIgnored(text, at + 1);
    if (kind == Sentence.ATERM && isInside(sentenceBefore(text, at), sentence(text, after))) {
      return -1;
    }
    while (sentence(text, after) == Sentence.CLOSE) {
      after = behindIgnored(text, after + 1);
    }
    while (sentence(text, after) == Sentence.SP) {
      after = behindIgnored(text, after + 1);
    }
    Sentence following = sentence(text, after);
    if (PARAGRAPH_ENDS.contains(following)) {
      return behindParagraph(text, after);
    }
    if (following == Sentence.SCONTINUE || TERMINATORS.contains(following)) {
      return -1; // "so?", he said
    }
    if (kind == Sentence.ATERM && nextThatDecides(text, after) == Sentence.LOWER) {
      return -1;
    }
    return after;
  }

  /** Whether a full stop is that of 3.4 or of U.S. */
  private static boolean isInside(Sentence before, Sentence after) {
    return after == Sentence.NUMERIC
        || after == Sentence.UPPER && (before == Sentence.UPPER || before == Sentence.LOWER);
  }

  private static int behindParagraph(int[] text, int at) {
    boolean pair = text[at] == '\r' && at + 1 < text.length && text[at + 1] == '\n';
    return pair ? at + 2 : at + 1;
  }

  private static int behindIgnored(int[] text, int at) {
    int behind = at;
    while (IGNORED.contains(sentence(text, behind))) {
      behind++;
    }
    return behind;
  }

  private static Sentence sentenceBefore(int[] text, int at) {
    int before = at - 1;
    while (before >= 0 && IGNORED.contains(sentence(text, before))) {
      before--;
    }
    return before < 0 ? Sentence.NONE : sentence(text, before);
  }

  private static Sentence nextThatDecides(int[] text, int at) {
    int next = at;
    while (next < text.length && !DECIDES.contains(sentence(text, next))) {
      next++;
    }
    return sentence(text, next);
  }

  private static Sentence sentence(int[] text, int at) {
    return at < text.length ? SENTENCE.of(text[at]) : Sentence.NONE;
  }

  /** Where the characters end, as a reader counts them: GB3 to GB13 of the annex. */
  static List<Integer> graphemes(int[] text) {
    List<Integer> ends = new ArrayList<>();
    int flags = 0; // regional indicators in a row
    boolean pictograph = false; // the last characters are a pictograph and what extends it
    boolean linked = false; // they are a linker, which joins a consonant, and what extends it
    Grapheme before = Grapheme.NONE;
    for (int at = 0; at < text.length; at++) {
      Grapheme kind = grapheme(text[at]);
      Joining joins = JOINING.of(text[at]);
      boolean joined =
          at == 0
              || before == Grapheme.CR && kind == Grapheme.LF
              || isJoined(before, kind)
              || linked && joins == Joining.CONSONANT
              || before == Grapheme.ZWJ && pictograph && joins == Joining.PICTOGRAPHIC
              || before == Grapheme.REGIONAL_INDICATOR && kind == before && flags % 2 == 1;
      if (!joined) {
        ends.add(at);
      }
      flags = kind == Grapheme.REGIONAL_INDICATOR ? flags + 1 : 0;
      pictograph =
          joins == Joining.PICTOGRAPHIC
              || pictograph && (kind == Grapheme.EXTEND || kind == Grapheme.ZWJ);
      linked = joins == Joining.LINKER || linked && joins == Joining.JOINING;
      before = kind;
    }
    return closed(ends, text.length);
  }

  /** What two neighbours tell. */
  private static boolean isJoined(Grapheme before, Grapheme kind) {
    if (ALONE.contains(before) || ALONE.contains(kind)) {
      return false;
    }
    return EXTENDS.contains(kind)
        || before == Grapheme.PREPEND
        || before == Grapheme.L && BEHIND_L.contains(kind)
        || (before == Grapheme.LV || before == Grapheme.V)
            && (kind == Grapheme.V || kind == Grapheme.T)
        || (before == Grapheme.LVT || before == Grapheme.T) && kind == Grapheme.T;
  }

  private static Grapheme grapheme(int codePoint) {
    if (HANGUL_FIRST <= codePoint && codePoint <= HANGUL_LAST) {
      return (codePoint - HANGUL_FIRST) % HANGUL_TAILS == 0 ? Grapheme.LV : Grapheme.LVT;
    }
    return GRAPHEME.of(codePoint);
  }

  private static List<String> lines() {
    try (InputStream in = Breaks.class.getResourceAsStream("breaks.txt");
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A property: the value of each code point. */
  private static final class Table<V extends Enum<V>> {

    private record Range<V>(int first, int last, V value) {}

    private final List<Range<V>> ranges = new ArrayList<>();
    private final V none;

    /** Reads the values of an enum, by the names they have behind a prefix. */
    Table(Class<V> values, String prefix) {
      Map<V, String> names = new EnumMap<>(values);
      none = values.getEnumConstants()[0];
      for (V value : values.getEnumConstants()) {
        names.put(value, prefix + value.name());
      }
      for (String line : LINES) {
        String[] parts = line.split(" ");
        String name = parts[0].toUpperCase(Locale.ROOT);
        names.forEach(
            (value, own) -> {
              if (own.equals(name)) {
                for (int i = 1; i < parts.length; i++) {
                  ranges.add(range(parts[i], value));
                }
              }
            });
      }
      ranges.sort(Comparator.comparingInt(Range::first));
    }

    private static <V> Range<V> range(String stated, V value) {
      int dash = stated.indexOf('-');
      int first = Integer.parseInt(dash < 0 ? stated : stated.substring(0, dash), 16);
      int last = dash < 0 ? first : Integer.parseInt(stated.substring(dash + 1), 16);
      return new Range<>(first, last, value);
    }

    V of(int codePoint) {
      int low = 0;
      int high = ranges.size() - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        Range<V> range = ranges.get(middle);
        if (codePoint < range.first) {
          high = middle - 1;
        } else if (codePoint > range.last) {
          low = middle + 1;
        } else {
          return range.value;
        }
      }
      return none;
    }
  }
}
