package org.densehook.chunk;

import java.util.ArrayList;
import java.util.List;

/** The sentences of a text, by Unicode's annex 29. */
public final class Sentences {

  private Sentences() {}

  /** Each without the spaces at its ends, in their order; none of nothing but spaces. */
  public static List<String> of(String text) {
    int[] codePoints = text.codePoints().toArray();
    List<String> sentences = new ArrayList<>();
    int start = 0;
    for (int end : Breaks.sentences(codePoints)) {
      String sentence = new String(codePoints, start, end - start).strip();
      if (!sentence.isEmpty()) {
        sentences.add(sentence);
      }
      start = end;
    }
    return sentences;
  }
}
