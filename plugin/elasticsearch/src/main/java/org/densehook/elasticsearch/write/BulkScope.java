package org.densehook.elasticsearch.write;

import org.densehook.elasticsearch.filter.RequestFilter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkRequest;
import org.elasticsearch.action.bulk.BulkResponse;
import org.elasticsearch.action.bulk.TransportBulkAction;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.Task;

/**
 * The bulk that documents came in with, also a single one, which Elasticsearch makes a bulk of. A
 * pipeline sees them one by one and a shard its own, but those of one bulk take one turn together:
 * so it travels in the thread context to whoever has them encoded.
 */
public final class BulkScope extends RequestFilter<BulkRequest, BulkResponse> {

  private static final String KEY = "densehook.bulk";

  private final ThreadContext threadContext;

  BulkScope(ThreadContext threadContext) {
    super(TransportBulkAction.NAME, BulkRequest.class);
    this.threadContext = threadContext;
  }

  /** The bulk at work, by identity; outside one something of its own. */
  public static Object of(ThreadContext context) {
    Object bulk = context.getTransient(KEY);
    return bulk == null ? new Object() : bulk;
  }

  @Override
  protected void apply(
      Task task,
      BulkRequest request,
      ActionListener<BulkResponse> listener,
      Next<BulkResponse> next) {
    if (threadContext.getTransient(KEY) != null) { // one within another is a part of it
      next.proceed(listener);
      return;
    }
    ActionListener<BulkResponse> outside =
        ContextPreservingActionListener.wrapPreservingContext(listener, threadContext);
    ThreadContext.StoredContext before = threadContext.newStoredContext();
    try {
      threadContext.putTransient(KEY, new Object());
      next.proceed(outside);
    } finally {
      before.restore();
    }
  }
}
