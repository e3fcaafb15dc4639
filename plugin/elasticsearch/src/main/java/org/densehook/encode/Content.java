package org.densehook.encode;

/** What an encoder is given to make a vector of. */
public sealed interface Content {

  /** A text. */
  record Text(String given) implements Content {}

  /**
   * An image.
   *
   * @param given its file in base64, or as a data URL
   */
  record Image(String given) implements Content {}

  /** As requests and documents hold it. */
  String given();

  /** How many characters that has. */
  default int length() {
    return given().length();
  }
}
