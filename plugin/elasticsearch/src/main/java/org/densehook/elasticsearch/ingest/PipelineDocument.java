package org.densehook.elasticsearch.ingest;

import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.DocumentVectors;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.StoredDocuments.Found;
import org.densehook.elasticsearch.vectors.StoredDocuments.Wanted;
import org.densehook.elasticsearch.vectors.VectorFormat;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.ingest.IngestDocument;

/** A document of a pipeline on its way to its vector. */
final class PipelineDocument implements DocumentEmbedder.Work {

  private final IngestDocument document;
  private final DocumentVectors vectors;
  private final String index;
  private final boolean reuses;
  private final Wanted wanted;
  private Map<String, Object> stored;
  private Exception failure;

  private PipelineDocument(
      IngestDocument document,
      DocumentVectors vectors,
      String index,
      boolean reuses,
      Wanted wanted) {
    this.document = document;
    this.vectors = vectors;
    this.index = index;
    this.reuses = reuses;
    this.wanted = wanted;
  }

  /**
   * A document that goes to an index.
   *
   * @param fields those that are filled, first the one that the pipeline names
   * @param part what is decided on
   * @throws IllegalArgumentException when an input is an object
   */
  static PipelineDocument of(
      IngestDocument document,
      Destination destination,
      List<FieldToEmbed> fields,
      Map<String, Object> part) {
    IndexMetadata index = destination.index();
    DocumentVectors vectors = new DocumentVectors(fields, part);
    boolean keepsNotes = fields.get(0).keepsNotes();
    boolean reuses = index != null && EmbedSettings.reuses(index);
    String id = document.getMetadata().getId();
    boolean wants = index != null && id != null && keepsNotes && vectors.needsStored(reuses, false);
    return new PipelineDocument(
        document,
        vectors,
        index == null ? null : index.getIndex().getName(),
        reuses,
        wants
            ? new Wanted(id, document.getMetadata().getRouting(), DocumentVectors.paths(fields))
            : null);
  }

  /** The index it goes to; null where it is about to make it. */
  String index() {
    return index;
  }

  /** Whether the vector of an unchanged text is taken from the stored document. */
  boolean reuses() {
    return reuses;
  }

  /** What must be read of the stored document first; null for nothing. */
  Wanted wanted() {
    return wanted;
  }

  /** Takes what was read of the stored document; where nothing could be, nothing is taken over. */
  void found(Found found) {
    stored = found.source();
    if (found.failure() != null && vectors.areBrought()) {
      failure = found.failure(); // nobody knows whose they are
    }
  }

  /** Why it failed, or null. */
  Exception failure() {
    return failure;
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
  public void write(Map<String, Object> changes) {
    changes.forEach(
        (path, value) -> {
          if (value == null) {
            remove(document, path);
          } else {
            document.setFieldValue(path, VectorFormat.copyable(value));
          }
        });
  }

  /** Takes a field away, where it is. */
  static void remove(IngestDocument document, String path) {
    if (document.hasField(path)) {
      document.removeField(path);
    }
  }

  @Override
  public void fail(Exception reason) {
    failure = reason;
  }
}
