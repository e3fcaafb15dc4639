package org.densehook.elasticsearch.write;

import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.densehook.elasticsearch.vectors.StoredDocuments.Wanted;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.update.UpdateRequest;

/** The document of an item of a bulk, on its way to its vectors. */
abstract class BulkDocument implements DocumentEmbedder.Work {

  private final BulkInWork bulk;
  private final int position;
  private final Wanted wanted;
  private DocumentVectors vectors;
  private Map<String, Object> stored;

  /**
   * A document of which little is known yet.
   *
   * @param wanted what must be read of the stored document first; null for nothing
   * @param vectors null until it has been read, where they depend on it
   */
  BulkDocument(BulkInWork bulk, int position, Wanted wanted, DocumentVectors vectors) {
    this.bulk = bulk;
    this.position = position;
    this.wanted = wanted;
    this.vectors = vectors;
  }

  /**
   * The document of an item, or null for one that needs nothing or cannot be read.
   *
   * @param paths what is to be read of documents
   */
  static BulkDocument of(BulkInWork bulk, int position, Set<String> paths) {
    if (bulk.item(position).getPrimaryResponse() != null) {
      return null;
    }
    try {
      if (bulk.item(position).request() instanceof UpdateRequest update) {
        return new UpdatedDocument(bulk, position, update);
      }
      return bulk.item(position).request() instanceof IndexRequest request
          ? PutDocument.of(bulk, position, request, paths)
          : null;
    } catch (Exception e) {
      bulk.fail(position, e);
      return null;
    }
  }

  /** What must be read of the stored document; null for nothing. */
  final Wanted wanted() {
    return wanted;
  }

  /** Takes what was read of the stored document. */
  final void found(Found found) {
    try {
      read(found);
    } catch (Exception e) {
      vectors = null;
      fail(e);
    }
  }

  /** Takes what was read, or throws why the document cannot be written. */
  abstract void read(Found found) throws Exception;

  /** Knows the document that it replaces, and its own vectors. */
  final void replaces(Map<String, Object> stored, DocumentVectors vectors) {
    this.stored = stored;
    this.vectors = vectors;
  }

  final BulkInWork bulk() {
    return bulk;
  }

  final int position() {
    return position;
  }

  /** Null when it goes on as it is, or has failed. */
  @Override
  public final DocumentVectors vectors() {
    return vectors;
  }

  @Override
  public final Map<String, Object> stored() {
    return stored;
  }

  @Override
  public final void fail(Exception reason) {
    bulk.fail(position, reason);
  }
}
