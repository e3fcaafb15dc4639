package org.densehook.elasticsearch.write;

import java.util.Map;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.densehook.elasticsearch.vectors.StoredDocuments.Wanted;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.common.xcontent.XContentHelper;

/** What comes out of an update, which takes the update's place in the bulk. */
final class UpdatedDocument extends BulkDocument {

  private static final Exception UNCHANGED = new ElasticsearchException("the item changes nothing");

  private final UpdateRequest update;
  private UpdateMerge merge;
  private GetResponse found;
  private Map<String, Object> document; // null where the update writes none

  UpdatedDocument(BulkInWork bulk, int position, UpdateRequest update) {
    super(bulk, position, new Wanted(update.id(), update.routing(), null), null);
    this.update = update;
  }

  @Override
  void read(Found read) throws Exception {
    if (read.failure() != null) {
      throw read.failure();
    }
    BulkServices services = bulk().services();
    found = read.document();
    merge =
        UpdateMerge.of(
            update,
            found,
            bulk().request().shardId(),
            bulk().index().vectors().fields().values(),
            services.scripts(),
            services.threadPool().absoluteTimeInMillis());
    if (merge.request() instanceof IndexRequest written) {
      document =
          merge.source() != null
              ? merge.source()
              : XContentHelper.convertToMap(written.source(), true, written.getContentType()).v2();
      replaces(
          merge.before(),
          new DocumentVectors(
              services
                  .embedder()
                  .withOrdered(
                      bulk().index().fields(),
                      merge.orders(),
                      bulk().index().vectors(),
                      bulk().index().name()),
              document));
    }
    if (!changesNothing()) {
      takeItsPlace();
    } else if (document == null) {
      takeNothing();
    }
  }

  private boolean changesNothing() {
    return merge.result() == DocWriteResponse.Result.NOOP;
  }

  private void takeItsPlace() {
    put(new MergedUpdate(update, merge, null));
    bulk().request().items()[position()] =
        new BulkItemRequest(bulk().item(position()).id(), merge.request());
  }

  private void takeNothing() {
    put(MergedUpdate.unchanged(update, merge, bulk().request().shardId(), found));
    fail(UNCHANGED); // the primary passes over it
  }

  private void put(MergedUpdate merged) {
    bulk().updates().put(position(), merged);
  }

  @Override
  public void write(Map<String, Object> changes) {
    if (changes.isEmpty()) {
      if (changesNothing()) {
        takeNothing();
      }
      return;
    }
    changes.forEach(
        (path, value) -> {
          FieldPaths.remove(document, path);
          if (value != null) {
            FieldPaths.put(document, path, value);
          }
        });
    IndexRequest written = (IndexRequest) merge.request();
    written.source(document, merge.contentType());
    bulk().held().add(written.source().length());
    if (changesNothing()) {
      takeItsPlace(); // it lacked a vector, so it is written after all
    }
  }
}
