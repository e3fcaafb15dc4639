package org.densehook.encode;

/** A text that cannot be encoded; the message says why. */
public final class EncodeException extends Exception {

  public EncodeException(String message) {
    super(message);
  }

  EncodeException(String message, Throwable cause) {
    super(message, cause);
  }
}
