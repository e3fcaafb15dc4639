package org.densehook.elasticsearch.write;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteRequest;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkItemResponse;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.core.Releasable;
import org.elasticsearch.tasks.TaskId;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * Updates in a bulk that change a text.
 *
 * <p>In a bulk the partial document is merged on the primary and indexed there, where nothing can
 * make a vector any more. So such an update is taken out of the bulk and runs as a single one,
 * whose merged document passes the filters. What else the bulk does to that document goes with it,
 * since the order counts.
 *
 * <p>So its merged document goes through the index's default and final pipelines, where that of an
 * update in a bulk goes through none: the action of a single update sends it on as a bulk of one.
 */
final class UpdatesApart {

  // enough to fill an encoder's batches, few beside the write queue's 10,000
  private static final int IN_FLIGHT = 64;

  private static final Exception TAKEN =
      new ElasticsearchException("the item is carried out on its own");

  private final Client client;
  private final ThreadPool threadPool;
  private final TaskId parent;
  private final BulkShardRequest bulk;
  private final Map<String, List<Integer>> positionsByDocument = new LinkedHashMap<>();
  private final AtomicReferenceArray<BulkItemResponse> responses;

  UpdatesApart(Client client, ThreadPool threadPool, TaskId parent, BulkShardRequest bulk) {
    this.client = client;
    this.threadPool = threadPool;
    this.parent = parent;
    this.bulk = bulk;
    responses = new AtomicReferenceArray<>(bulk.items().length);
  }

  /** Takes the updates that change a text out of the bulk; those with a script are refused. */
  void take(IndexMetadata index, List<EmbeddedField> fields) {
    BulkItemRequest[] items = bulk.items();
    String name = index.getIndex().getName();
    Set<String> documents = new HashSet<>();
    for (BulkItemRequest item : items) {
      if (item.getPrimaryResponse() == null && item.request() instanceof UpdateRequest update) {
        if (update.script() != null) {
          item.abort(name, EmbedUpdateFilter.scripted(index));
        } else if (!EmbedUpdateFilter.needs(update, fields).none()) {
          documents.add(update.id());
        }
      }
    }
    for (int i = 0; i < items.length && !documents.isEmpty(); i++) {
      String id = items[i].request().id();
      if (documents.contains(id) && items[i].getPrimaryResponse() == null) {
        positionsByDocument.computeIfAbsent(id, document -> new ArrayList<>()).add(i);
        items[i].abort(name, TAKEN); // the primary passes over it
      }
    }
  }

  /** Sends what was taken, a document's items one after another. */
  void send(RefCountingRunnable refs) {
    Queue<Iterator<Integer>> documents = new ConcurrentLinkedQueue<>();
    positionsByDocument.values().forEach(positions -> documents.add(positions.iterator()));
    for (int i = 0; i < IN_FLIGHT; i++) {
      Iterator<Integer> document = documents.poll(); // those sent before may be taking others
      if (document != null) {
        next(documents, document, refs.acquire());
      }
    }
  }

  private void next(
      Queue<Iterator<Integer>> documents, Iterator<Integer> document, Releasable done) {
    Iterator<Integer> positions = document.hasNext() ? document : documents.poll();
    if (positions == null) {
      done.close();
      return;
    }
    int position = positions.next();
    BulkItemRequest item = bulk.items()[position];
    ActionListener<BulkItemResponse> then =
        ActionListener.wrap(
            response -> {
              responses.set(position, response);
              // not from here: answers that come at once would pile up on the stack
              threadPool.generic().execute(() -> next(documents, positions, done));
            },
            e -> done.close());
    send(
        item.request(),
        ActionListener.wrap(
            response ->
                then.onResponse(
                    BulkItemResponse.success(item.id(), item.request().opType(), response)),
            e -> then.onResponse(failure(item, e))));
  }

  private void send(DocWriteRequest<?> request, ActionListener<DocWriteResponse> listener) {
    // one refresh follows, with the rest of the bulk; but that waits for none of these
    boolean waits = bulk.getRefreshPolicy() == RefreshPolicy.WAIT_UNTIL;
    RefreshPolicy refresh = waits ? RefreshPolicy.WAIT_UNTIL : RefreshPolicy.NONE;
    ActionListener.run(
        ContextPreservingActionListener.wrapPreservingContext(
            listener, threadPool.getThreadContext()),
        delegate -> {
          if (request instanceof UpdateRequest update) {
            update.setRefreshPolicy(refresh);
            update.waitForActiveShards(bulk.waitForActiveShards()).timeout(bulk.timeout());
            update.setParentTask(parent);
            client.update(update, delegate.map(response -> response));
          } else if (request instanceof IndexRequest index) {
            index.setRefreshPolicy(refresh);
            index.waitForActiveShards(bulk.waitForActiveShards()).timeout(bulk.timeout());
            index.setParentTask(parent);
            client.index(index, delegate);
          } else if (request instanceof DeleteRequest delete) {
            delete.setRefreshPolicy(refresh);
            delete.waitForActiveShards(bulk.waitForActiveShards()).timeout(bulk.timeout());
            delete.setParentTask(parent);
            client.delete(delete, delegate.map(response -> response));
          } else {
            throw new IllegalArgumentException("an item of a bulk of an unknown kind: " + request);
          }
        });
  }

  private BulkItemResponse failure(BulkItemRequest item, Exception e) {
    Exception cause =
        ExceptionsHelper.unwrapCause(e) instanceof Exception unwrapped ? unwrapped : e;
    return BulkItemResponse.failure(
        item.id(),
        item.request().opType(),
        new BulkItemResponse.Failure(bulk.shardId().getIndexName(), item.request().id(), cause));
  }

  /** Puts the answers of what was taken among those of the bulk. */
  void answer(BulkItemResponse[] answers) {
    for (List<Integer> positions : positionsByDocument.values()) {
      for (int position : positions) {
        BulkItemResponse response = responses.get(position);
        if (response != null) { // it is null when the node is closing
          answers[position] = response;
        }
      }
    }
  }
}
