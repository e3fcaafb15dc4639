package org.densehook.elasticsearch.write;

import org.densehook.elasticsearch.compat.BulkPressure;
import org.elasticsearch.common.breaker.CircuitBreaker;
import org.elasticsearch.core.Releasable;

/**
 * What the vectors of one bulk take, counted where Elasticsearch counts the bulk itself, until it
 * is answered: against the indexing pressure, and against the breaker of requests.
 */
final class HeldMemory implements Releasable {

  private static final String LABEL = "densehook vectors";

  private final BulkPressure.Held pressure;
  private final CircuitBreaker breaker;
  private long bytes;
  private boolean released;

  HeldMemory(BulkPressure pressure, CircuitBreaker breaker) {
    this.pressure = pressure.hold();
    this.breaker = breaker;
  }

  /**
   * Counts what a document has grown by.
   *
   * @throws org.elasticsearch.common.util.concurrent.EsRejectedExecutionException or
   *     CircuitBreakingException, both answered 429, when there is no room
   */
  synchronized void add(long grown) {
    if (grown <= 0 || released) {
      return;
    }
    breaker.addEstimateBytesAndMaybeBreak(grown, LABEL);
    try {
      pressure.add(grown);
    } catch (RuntimeException e) {
      breaker.addWithoutBreaking(-grown);
      throw e;
    }
    bytes += grown;
  }

  @Override
  public synchronized void close() {
    if (!released) {
      released = true;
      breaker.addWithoutBreaking(-bytes);
      pressure.close();
    }
  }
}
