package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.get.MultiGetItemResponse;
import org.elasticsearch.action.get.MultiGetRequest;
import org.elasticsearch.action.get.MultiGetResponse;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.TransportActions;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.fetch.subphase.FetchSourceContext;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * Reads the documents that are about to be replaced, as they are now.
 *
 * <p>Elasticsearch itself reads a document to update it without asking whether the caller may read:
 * what is read here goes nowhere but into that document again. So it is read with the rights that
 * Elasticsearch's own features have, not with the caller's.
 */
public final class StoredDocuments {

  // one of the origins that security knows; without security it means nothing
  private static final String ORIGIN = "stack";

  private static final TimeValue AGAIN = TimeValue.timeValueMillis(100);

  private final Client client;
  private final ThreadPool threadPool;

  public StoredDocuments(Client client, ThreadPool threadPool) {
    this.client = client;
    this.threadPool = threadPool;
  }

  /**
   * A document to read.
   *
   * @param paths fields of its source; null for all of it
   */
  public record Wanted(String id, String routing, Collection<String> paths) {}

  /**
   * What was read.
   *
   * @param document null when the read failed
   * @param failure why it did, or null
   */
  public record Found(GetResponse document, Exception failure) {

    /** Whether there is such a document; false also when the read failed. */
    public boolean exists() {
      return document != null && document.isExists();
    }
  }

  /**
   * Reads documents of one index, vectors included.
   *
   * @param patience how long it may wait for a shard that is not there
   * @param listener gets one for each wanted, in their order, in the caller's thread context
   */
  public void read(
      String index, List<Wanted> wanted, TimeValue patience, ActionListener<List<Found>> listener) {
    if (wanted.isEmpty()) {
      listener.onResponse(List.of());
      return;
    }
    ThreadContext context = threadPool.getThreadContext();
    ActionListener<List<Found>> inContext =
        ContextPreservingActionListener.wrapPreservingContext(listener, context);
    long until = threadPool.relativeTimeInMillis() + patience.millis();
    ThreadContext.StoredContext callers = context.stashWithOrigin(ORIGIN);
    try {
      attempt(request(index, wanted), until, inContext);
    } finally {
      callers.restore();
    }
  }

  private static MultiGetRequest request(String index, List<Wanted> wanted) {
    MultiGetRequest request = new MultiGetRequest();
    request.realtime(true); // any copy has what was acknowledged; what is newer is a conflict later
    for (Wanted each : wanted) {
      String[] paths = each.paths == null ? null : each.paths.toArray(String[]::new);
      request.add(
          new MultiGetRequest.Item(index, each.id)
              .routing(each.routing)
              .fetchSourceContext(FetchSourceContext.of(true, false, paths, null)));
    }
    return request;
  }

  private void attempt(MultiGetRequest request, long until, ActionListener<List<Found>> listener) {
    client.multiGet(
        request,
        listener.delegateFailureAndWrap(
            (delegate, response) -> {
              List<Found> found = found(response);
              boolean again =
                  found.stream().anyMatch(each -> isUnavailable(each.failure))
                      && threadPool.relativeTimeInMillis() < until;
              if (again) { // an index that was just made, or one that is moving
                threadPool.schedule(
                    () -> attempt(request, until, delegate), AGAIN, threadPool.generic());
              } else {
                delegate.onResponse(found);
              }
            }));
  }

  private static List<Found> found(MultiGetResponse response) {
    List<Found> found = new ArrayList<>(response.getResponses().length);
    for (MultiGetItemResponse item : response) {
      found.add(
          item.isFailed()
              ? new Found(null, item.getFailure().getFailure())
              : new Found(item.getResponse(), null));
    }
    return found;
  }

  private static boolean isUnavailable(Exception failure) {
    return failure != null
        && TransportActions.isShardNotAvailableException(ExceptionsHelper.unwrapCause(failure));
  }
}
