package org.densehook.elasticsearch.write;

import org.elasticsearch.common.breaker.CircuitBreaker;
import org.elasticsearch.core.Releasable;
import org.elasticsearch.index.IndexingPressure;

/**
 * What the vectors of one bulk take, counted where Elasticsearch counts the bulk itself, until it
 * is answered: against the indexing pressure, and against the breaker of requests.
 */
final class HeldMemory implements Releasable {

  private static final String LABEL = "densehook vectors";

  private final IndexingPressure.Coordinating pressure;
  private final CircuitBreaker breaker;
  private long bytes;
  private boolean released;

  HeldMemory(IndexingPressure pressure, CircuitBreaker breaker) {
    this.pressure = pressure.createCoordinatingOperation(false);
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
      pressure.increment(1, grown);
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
