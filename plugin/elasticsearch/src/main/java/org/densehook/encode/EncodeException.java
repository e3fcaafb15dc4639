package org.densehook.encode;

/** A text that was not encoded; the message says why, the kind what may help. */
public final class EncodeException extends Exception {

  /** Whose fault it is. */
  public enum Kind {
    /** The text's: it would fail again. */
    TEXT,
    /** The encoder's: a run of it failed. */
    RUN,
    /** Nobody's: the encoder went out of service before the text was taken in. */
    RETIRED
  }

  private final Kind kind;

  public EncodeException(Kind kind, String message) {
    this(kind, message, null);
  }

  public EncodeException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /** A failure of whatever kind; one that is not of this class is the encoder's. */
  public static EncodeException of(Throwable failure) {
    return failure instanceof EncodeException known
        ? known
        : new EncodeException(Kind.RUN, "the encoder fails: " + failure, failure);
  }

  static EncodeException retired() {
    return new EncodeException(Kind.RETIRED, "the encoder was taken out of service");
  }
}
