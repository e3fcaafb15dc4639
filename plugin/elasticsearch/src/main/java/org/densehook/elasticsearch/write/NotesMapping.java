package org.densehook.elasticsearch.write;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.SubscribableListener;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.index.Index;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * Adds the object in which documents keep what their vectors were made of to a mapping that lacks
 * it, before the first of them is written: indices are made by templates, by other clients, by
 * restoring, and not all that make them know of it.
 */
final class NotesMapping {

  private final Client client;
  private final ThreadPool threadPool;
  private final Map<Index, SubscribableListener<Void>> underWay = new ConcurrentHashMap<>();

  NotesMapping(Client client, ThreadPool threadPool) {
    this.client = client;
    this.threadPool = threadPool;
  }

  /**
   * Adds it; those that ask meanwhile wait for the same.
   *
   * @param listener called in the caller's thread context
   */
  void add(Index index, ActionListener<Void> listener) {
    ThreadContext context = threadPool.getThreadContext();
    SubscribableListener<Void> added = new SubscribableListener<>();
    SubscribableListener<Void> first = underWay.putIfAbsent(index, added);
    SubscribableListener<Void> awaited = first == null ? added : first;
    awaited.addListener(ContextPreservingActionListener.wrapPreservingContext(listener, context));
    if (first != null) {
      return;
    }
    PutMappingRequest request =
        new PutMappingRequest()
            .setConcreteIndex(index)
            .source(Map.of("properties", Map.of(IndexVectors.NOTES, IndexVectors.NOTES_MAPPING)));
    // whoever may write documents may not change mappings; this change is the plugin's own
    ThreadContext.StoredContext callers = context.stashContext();
    try {
      context.markAsSystemContext();
      ActionListener.run(
          ActionListener.<Void>runBefore(added, () -> underWay.remove(index))
              .<AcknowledgedResponse>map(answer -> null),
          answered -> client.admin().indices().putMapping(request, answered));
    } finally {
      callers.restore();
    }
  }
}
