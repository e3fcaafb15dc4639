package org.densehook.encode;

import java.util.function.Consumer;

/** A text that waits for its vector. */
public final class Job {

  private final Tokens tokens;
  private final Consumer<float[]> onVector;
  private final Consumer<EncodeException> onFailure;
  private final Object group;
  private final long startedNanos;

  /**
   * One of the two receivers is called, once, whatever those of other texts do.
   *
   * @param group texts of one group take one turn among those of others
   * @param startedNanos when its text came in, by System.nanoTime
   */
  public Job(
      Tokens tokens,
      Consumer<float[]> onVector,
      Consumer<EncodeException> onFailure,
      Object group,
      long startedNanos) {
    this.tokens = tokens;
    this.onVector = onVector;
    this.onFailure = onFailure;
    this.group = group;
    this.startedNanos = startedNanos;
  }

  /** A text that is a group of its own and came in now. */
  public Job(Tokens tokens, Consumer<float[]> onVector, Consumer<EncodeException> onFailure) {
    this(tokens, onVector, onFailure, new Object(), System.nanoTime());
  }

  Tokens tokens() {
    return tokens;
  }

  Consumer<float[]> onVector() {
    return onVector;
  }

  Consumer<EncodeException> onFailure() {
    return onFailure;
  }

  Object group() {
    return group;
  }

  long startedNanos() {
    return startedNanos;
  }
}
