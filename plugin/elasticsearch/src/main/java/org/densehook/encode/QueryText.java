package org.densehook.encode;

import java.util.Objects;

/**
 * What is searched for.
 *
 * @param instruction what the encoder is told to do with the text; null for its own prompt of
 *     queries
 */
public record QueryText(String text, String instruction) {

  public QueryText {
    Objects.requireNonNull(text);
  }

  /** A text behind the encoder's own prompt of queries. */
  public static QueryText of(String text) {
    return new QueryText(text, null);
  }

  /** How many characters it has. */
  public int length() {
    return text.length() + (instruction == null ? 0 : instruction.length());
  }
}
