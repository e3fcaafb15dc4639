package org.densehook.encode;

import java.util.Objects;

/** What an encoder is given to make a vector of. */
public sealed interface Content {

  /**
   * A text.
   *
   * @param instruction what the encoder is told to do with a query's text; null for its own prompt
   */
  record Text(String given, String instruction) implements Content {

    public Text {
      Objects.requireNonNull(given);
    }

    /** A text behind the encoder's own prompt. */
    public Text(String given) {
      this(given, null);
    }
  }

  /**
   * An image.
   *
   * @param given its file in base64, or as a data URL
   */
  record Image(String given) implements Content {

    @Override
    public String instruction() {
      return null;
    }
  }

  /**
   * A list of numbers.
   *
   * @param given its text, as {@link NumberList} has it
   */
  record Numbers(String given) implements Content {

    @Override
    public String instruction() {
      return null;
    }
  }

  /** As requests and documents hold it; of numbers their text. */
  String given();

  /** What the encoder is told to do with it; null for nothing. */
  String instruction();

  /** How many characters it has. */
  default int length() {
    return given().length() + (instruction() == null ? 0 : instruction().length());
  }
}
