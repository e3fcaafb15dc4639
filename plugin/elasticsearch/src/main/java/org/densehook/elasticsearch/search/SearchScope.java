package org.densehook.elasticsearch.search;

import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.Task;

/**
 * The search that a query or a vector builder is part of, where Elasticsearch does not tell them:
 * it travels in the thread context from {@link SearchFilter} to whoever rewrites.
 *
 * @param size hits asked for, or below 0 where the search does not say
 */
final class SearchScope {

  /** What holds outside a search. */
  static final SearchScope NONE = new SearchScope(null, null, -1);

  private static final String KEY = "densehook.search";

  private final CancellableTask task;
  private final TimeValue timeout;
  private final int size;
  private final long start = System.nanoTime();

  /**
   * A search that starts now.
   *
   * @param timeout null or below 0 for none
   * @param size hits asked for, or below 0 where the search does not say
   */
  SearchScope(Task task, TimeValue timeout, int size) {
    this.task = task instanceof CancellableTask cancellable ? cancellable : null;
    this.timeout = timeout == null || timeout.duration() < 0 ? null : timeout;
    this.size = size;
  }

  static boolean isIn(ThreadContext context) {
    return context.getTransient(KEY) != null;
  }

  static SearchScope of(ThreadContext context) {
    SearchScope scope = context.getTransient(KEY);
    return scope == null ? NONE : scope;
  }

  void put(ThreadContext context) {
    context.putTransient(KEY, this);
  }

  /** The search's task, or null. */
  CancellableTask task() {
    return task;
  }

  /** What is left of the search's time, or null where it has no end. */
  TimeValue timeLeft() {
    return timeout == null
        ? null
        : TimeValue.timeValueNanos(Math.max(0, timeout.nanos() - (System.nanoTime() - start)));
  }

  /** Whether the search wants no hits, only counts or aggregations. */
  boolean wantsNoHits() {
    return size == 0;
  }
}
