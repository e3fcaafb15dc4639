package org.densehook.elasticsearch.write;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.common.util.concurrent.AbstractRunnable;
import org.elasticsearch.core.Releasable;

/**
 * The documents of a bulk get their vectors, a few hundred at a time: what is read of them and of
 * the stored ones is bounded, however many there are.
 */
final class BulkWindows {

  private static final int DOCUMENTS = 256;

  // while one is encoded the next is read
  private static final int AT_ONCE = 2;

  private final BulkInWork bulk;
  private final Object turn;
  private final Set<String> paths;
  private int position; // guarded by this

  /**
   * None has been looked at.
   *
   * @param turn what the documents came in with, which has its turn at the encoders
   */
  BulkWindows(BulkInWork bulk, Object turn) {
    this.bulk = bulk;
    this.turn = turn;
    paths = DocumentVectors.paths(bulk.index().fields());
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
    List<BulkDocument> documents = next();
    if (documents.isEmpty()) {
      ref.close();
      return;
    }
    Runnable then = () -> elsewhere(() -> window(ref), ref);
    List<BulkDocument> wanting =
        documents.stream().filter(document -> document.wanted() != null).toList();
    bulk.services()
        .storedDocuments()
        .read(
            bulk.index().name(),
            wanting.stream().map(BulkDocument::wanted).toList(),
            bulk.request().timeout(),
            found -> {
              for (int i = 0; i < found.size(); i++) {
                wanting.get(i).found(found.get(i));
              }
              embed(documents, then);
            });
  }

  private synchronized List<BulkDocument> next() {
    List<BulkDocument> documents = new ArrayList<>();
    while (position < bulk.request().items().length && documents.size() < DOCUMENTS) {
      BulkDocument document = BulkDocument.of(bulk, position++, paths);
      if (document != null) {
        documents.add(document);
      }
    }
    return documents;
  }

  private void embed(List<BulkDocument> documents, Runnable then) {
    List<BulkDocument> ready =
        documents.stream().filter(document -> document.vectors() != null).toList();
    bulk.services().embedder().embed(ready, turn, bulk.index().reuses(), then);
  }

  /** On another thread: not that of the encoder or the network, and not deeper on this stack. */
  private void elsewhere(Runnable task, Releasable ref) {
    bulk.services()
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
    for (; position < bulk.request().items().length; position++) {
      BulkItemRequest item = bulk.item(position);
      if (item.getPrimaryResponse() == null && !(item.request() instanceof DeleteRequest)) {
        bulk.fail(position, e);
      }
    }
  }
}
