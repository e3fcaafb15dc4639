package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.densehook.elasticsearch.vectors.StoredDocuments.Wanted;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.action.update.UpdateHelper;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.action.update.UpdateResponse;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.util.concurrent.AbstractRunnable;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.core.Releasable;
import org.elasticsearch.index.seqno.SequenceNumbers;

/**
 * The documents of a bulk get their vectors, a few hundred at a time: what is read of them and of
 * the stored ones is bounded, however many there are.
 */
final class BulkWindows {

  private static final int DOCUMENTS = 256;

  // while one is encoded the next is read
  private static final int AT_ONCE = 2;

  private static final Exception UNCHANGED = new ElasticsearchException("the item changes nothing");

  private final BulkServices services;
  private final ShardBulk.Collection collection;
  private final BulkShardRequest bulk;
  private final Map<Integer, ShardBulk.Update> updates;
  private final HeldMemory held;
  private final Set<String> paths;
  private int position; // guarded by this

  BulkWindows(
      BulkServices services,
      ShardBulk.Collection collection,
      BulkShardRequest bulk,
      Map<Integer, ShardBulk.Update> updates,
      HeldMemory held) {
    this.services = services;
    this.collection = collection;
    this.bulk = bulk;
    this.updates = updates;
    this.held = held;
    paths = DocumentVectors.paths(collection.fields());
  }

  /** Calls back when every document has its vectors or has failed. */
  void run(Runnable done) {
    try (RefCountingRunnable refs = new RefCountingRunnable(done)) {
      for (int i = 0; i < AT_ONCE; i++) {
        window(refs.acquire());
      }
    }
  }

  /** Takes the next documents; the reference is released when there are none left. */
  private void window(Releasable ref) {
    List<Document> documents = new ArrayList<>();
    synchronized (this) {
      while (position < bulk.items().length && documents.size() < DOCUMENTS) {
        Document document = document(position++);
        if (document != null) {
          documents.add(document);
        }
      }
    }
    if (documents.isEmpty()) {
      ref.close();
      return;
    }
    Runnable next = () -> elsewhere(() -> window(ref), ref);
    List<Document> wanting = documents.stream().filter(each -> each.wanted != null).toList();
    services
        .storedDocuments()
        .read(
            collection.name(),
            wanting.stream().map(each -> each.wanted).toList(),
            bulk.timeout(),
            ActionListener.wrap(
                found -> {
                  for (int i = 0; i < found.size(); i++) {
                    wanting.get(i).found(found.get(i));
                  }
                  embed(documents, next);
                },
                e -> {
                  wanting.forEach(each -> each.found(new Found(null, e)));
                  embed(documents, next);
                }));
  }

  private void embed(List<Document> documents, Runnable next) {
    List<Document> ready = documents.stream().filter(each -> each.vectors != null).toList();
    services.embedder().embed(ready, collection.reuses(), next);
  }

  /** On another thread: not that of the encoder or the network, and not deeper on this stack. */
  private void elsewhere(Runnable task, Releasable ref) {
    services
        .threadPool()
        .generic()
        .execute(
            new AbstractRunnable() {
              @Override
              protected void doRun() {
                task.run();
              }

              @Override
              public void onFailure(Exception e) { // the node is closing, mostly
                failRest(e);
                ref.close();
              }
            });
  }

  /** What was not looked at must not be written as it is. */
  private synchronized void failRest(Exception e) {
    while (position < bulk.items().length) {
      BulkItemRequest item = bulk.items()[position++];
      if (item.getPrimaryResponse() == null && !(item.request() instanceof DeleteRequest)) {
        item.abort(collection.name(), e);
      }
    }
  }

  /** The document of an item, or null for one that needs nothing or cannot be read. */
  private Document document(int at) {
    BulkItemRequest item = bulk.items()[at];
    if (item.getPrimaryResponse() != null) {
      return null;
    }
    if (item.request() instanceof UpdateRequest update) {
      return new Document(at, new Wanted(update.id(), update.routing(), null));
    }
    if (!(item.request() instanceof IndexRequest request)) {
      return null;
    }
    Map<String, Object> part;
    try {
      part = DocumentSource.part(request.source(), request.getContentType(), paths);
    } catch (Exception e) {
      return null; // Elasticsearch cannot read it either, and says why
    }
    DocumentVectors vectors = new DocumentVectors(collection.fields(), part);
    boolean isNew =
        request.getAutoGeneratedTimestamp() != IndexRequest.UNSET_AUTO_GENERATED_TIMESTAMP;
    try {
      boolean conditional = request.ifSeqNo() != SequenceNumbers.UNASSIGNED_SEQ_NO;
      boolean wants = !isNew && vectors.needsStored(collection.reuses(), conditional);
      Document document =
          new Document(at, wants ? new Wanted(request.id(), request.routing(), paths) : null);
      document.vectors = vectors;
      return document;
    } catch (Exception e) {
      item.abort(collection.name(), e);
      return null;
    }
  }

  /** An item's document on its way. */
  private final class Document implements DocumentEmbedder.Work {

    private final int at;
    private final Wanted wanted;
    private DocumentVectors vectors; // null when it goes on as it is, or has failed
    private Map<String, Object> stored;
    private UpdateRequest update;
    private UpdateMerge merge;
    private Found found;

    private Document(int at, Wanted wanted) {
      this.at = at;
      this.wanted = wanted;
    }

    private BulkItemRequest item() {
      return bulk.items()[at];
    }

    private void found(Found read) {
      found = read;
      try {
        if (read.failure() != null && (vectors == null || vectors.areBrought())) {
          throw read.failure(); // nobody knows whose they are
        }
        if (read.exists() && !read.document().isSourceEmpty()) {
          stored = read.document().getSourceAsMap();
        }
        if (item().request() instanceof UpdateRequest request) {
          merge(request);
        }
      } catch (Exception e) {
        vectors = null;
        item().abort(collection.name(), e);
      }
    }

    private void merge(UpdateRequest request) {
      update = request;
      merge =
          UpdateMerge.of(
              request,
              found.document(),
              bulk.shardId(),
              collection.vectors().fields().keySet(),
              services.scripts(),
              services.threadPool().absoluteTimeInMillis());
      if (merge.request() instanceof IndexRequest created) {
        Map<String, Object> document =
            merge.source() != null
                ? merge.source()
                : XContentHelper.convertToMap(created.source(), true, created.getContentType())
                    .v2();
        List<FieldToEmbed> fields =
            services.embedder().withOrdered(collection.fields(), merge.orders());
        vectors = new DocumentVectors(fields, document);
      }
      if (vectors == null || merge.result() != DocWriteResponse.Result.NOOP) {
        replace(merge.request() == null);
      }
    }

    /** Puts what comes out of the update in its place. */
    private void replace(boolean unchanged) {
      UpdateResponse response = unchanged ? unchangedResponse() : null;
      updates.put(at, new ShardBulk.Update(update, merge, response));
      if (unchanged) {
        item().abort(collection.name(), UNCHANGED); // the primary passes over it
      } else {
        bulk.items()[at] = new BulkItemRequest(item().id(), merge.request());
      }
    }

    private UpdateResponse unchangedResponse() {
      UpdateResponse response =
          new UpdateResponse(
              bulk.shardId(),
              update.id(),
              found.document().getSeqNo(),
              found.document().getPrimaryTerm(),
              found.document().getVersion(),
              DocWriteResponse.Result.NOOP);
      response.setGetResult(
          UpdateHelper.extractGetResult(
              update,
              collection.name(),
              null, // of no use to it
              response.getSeqNo(),
              response.getPrimaryTerm(),
              response.getVersion(),
              merge.source(),
              merge.contentType(),
              found.document().getSourceInternal()));
      return response;
    }

    @Override
    public DocumentVectors vectors() {
      return vectors;
    }

    @Override
    public Map<String, Object> stored() {
      return stored;
    }

    @Override
    public void write(Map<String, Object> changes) throws IOException {
      boolean changesNothing = merge != null && merge.result() == DocWriteResponse.Result.NOOP;
      if (changes.isEmpty()) {
        if (changesNothing) {
          replace(true);
        }
        return;
      }
      if (merge == null) {
        IndexRequest request = (IndexRequest) item().request();
        BytesReference before = request.source();
        BytesReference after = DocumentSource.with(before, request.getContentType(), changes);
        held.add(after.length() - before.length());
        request.source(after, request.getContentType());
        return;
      }
      IndexRequest request = (IndexRequest) merge.request();
      Map<String, Object> document =
          merge.source() != null
              ? merge.source()
              : XContentHelper.convertToMap(request.source(), true, request.getContentType()).v2();
      changes.forEach(
          (path, value) -> {
            FieldPaths.remove(document, path);
            if (value != null) {
              FieldPaths.put(document, path, value);
            }
          });
      request.source(document, merge.contentType());
      held.add(request.source().length());
      if (changesNothing) {
        replace(false); // it lacked a vector, so it is written after all
      }
    }

    @Override
    public void fail(Exception reason) {
      item().abort(collection.name(), reason);
    }
  }
}
