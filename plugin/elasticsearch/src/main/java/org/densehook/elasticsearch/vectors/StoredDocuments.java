package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.densehook.elasticsearch.compat.WholeSource;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.get.MultiGetItemResponse;
import org.elasticsearch.action.get.MultiGetRequest;
import org.elasticsearch.action.get.MultiGetResponse;
import org.elasticsearch.action.support.TransportActions;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
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

  private final Gathering<Wanted, Found> oneByOne =
      new Gathering<>((index, wanted, told) -> read(index, wanted, TimeValue.ZERO, told));

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

    /** The document's source, or null where there is none. */
    public Map<String, Object> source() {
      return document == null || !document.isExists() || document.isSourceEmpty()
          ? null
          : document.getSourceAsMap();
    }
  }

  /**
   * Reads documents of one index, vectors included.
   *
   * @param patience how long it may wait for a shard that is not there
   * @param told gets one for each wanted, in their order, in the caller's thread context; once
   */
  public void read(
      String index, List<Wanted> wanted, TimeValue patience, Consumer<List<Found>> told) {
    if (wanted.isEmpty()) {
      told.accept(List.of());
      return;
    }
    long until = threadPool.relativeTimeInMillis() + patience.millis();
    attempt(request(index, wanted), until, inCallersContext(told));
  }

  /**
   * Reads a document of those that come one by one: what is asked for while others of its index are
   * being read, is read with the next, so that ten thousand are some forty reads.
   *
   * @param told gets it in the caller's thread context; once
   */
  public void readOne(String index, Wanted wanted, Consumer<Found> told) {
    oneByOne.read(index, wanted, inCallersContext(told));
  }

  private <T> Consumer<T> inCallersContext(Consumer<T> told) {
    ThreadContext context = threadPool.getThreadContext();
    Supplier<ThreadContext.StoredContext> callers = context.newRestorableContext(false);
    return found -> {
      ThreadContext.StoredContext before = callers.get();
      try {
        told.accept(found);
      } finally {
        before.restore();
      }
    };
  }

  private static MultiGetRequest request(String index, List<Wanted> wanted) {
    MultiGetRequest request = new MultiGetRequest();
    request.realtime(true); // any copy has what was acknowledged; what is newer is a conflict later
    for (Wanted each : wanted) {
      String[] paths = each.paths == null ? null : each.paths.toArray(String[]::new);
      request.add(
          new MultiGetRequest.Item(index, each.id)
              .routing(each.routing)
              .fetchSourceContext(WholeSource.of(paths)));
    }
    return request;
  }

  private void attempt(MultiGetRequest request, long until, Consumer<List<Found>> told) {
    ActionListener<MultiGetResponse> listener =
        new ActionListener<>() {
          @Override
          public void onResponse(MultiGetResponse response) {
            List<Found> found = found(response);
            boolean again =
                found.stream().anyMatch(each -> isUnavailable(each.failure))
                    && threadPool.relativeTimeInMillis() < until;
            if (again && sendLater()) { // an index that was just made, or one that is moving
              return;
            }
            told.accept(found);
          }

          @Override
          public void onFailure(Exception e) {
            told.accept(request.getItems().stream().map(item -> new Found(null, e)).toList());
          }

          private boolean sendLater() {
            try {
              threadPool.schedule(() -> attempt(request, until, told), AGAIN, threadPool.generic());
              return true;
            } catch (RuntimeException rejected) { // the node shuts down
              return false;
            }
          }
        };
    ThreadContext.StoredContext callers = threadPool.getThreadContext().stashWithOrigin(ORIGIN);
    try {
      ActionListener.run(listener, answered -> client.multiGet(request, answered));
    } finally {
      callers.restore();
    }
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
