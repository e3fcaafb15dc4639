package org.densehook.encode;

import java.util.function.Consumer;

/**
 * A text that waits for its vector; one of the two is called, once, whatever the receivers of other
 * texts do.
 *
 * @param startedNanos when its text came in, by System.nanoTime
 */
public record Job(
    Tokens tokens,
    Consumer<float[]> onVector,
    Consumer<EncodeException> onFailure,
    long startedNanos) {

  public Job(Tokens tokens, Consumer<float[]> onVector, Consumer<EncodeException> onFailure) {
    this(tokens, onVector, onFailure, System.nanoTime());
  }
}
