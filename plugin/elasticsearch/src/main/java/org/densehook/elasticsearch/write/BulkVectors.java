package org.densehook.elasticsearch.write;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/** The vectors of the documents in one bulk: made at once, written when all are there. */
final class BulkVectors {

  private final NodeEncoders encoders;
  private final ThreadContext threadContext;
  private final String index;
  private final List<EmbeddedField> fields;
  private final Set<String> paths = new HashSet<>();
  private final Map<EmbeddedField, Serving> serving = new HashMap<>();
  private final Queue<Made> made = new ConcurrentLinkedQueue<>();

  /** A field's encoder, or why it has none; asked for once a bulk. */
  private record Serving(EncoderHandle encoder, Exception reason) {}

  /**
   * What became of one vector.
   *
   * @param vector as it is written; null when the field is to go
   * @param failure why there is no vector, or null
   */
  private record Made(BulkItemRequest item, String field, Object vector, Exception failure) {}

  BulkVectors(
      NodeEncoders encoders,
      ThreadContext threadContext,
      IndexMetadata index,
      List<EmbeddedField> fields) {
    this.encoders = encoders;
    this.threadContext = threadContext;
    this.index = index.getIndex().getName();
    this.fields = fields;
    for (EmbeddedField field : fields) {
      paths.add(field.name());
      paths.addAll(field.inputs());
    }
  }

  /** Queues the documents without a vector; each holds a reference until it is encoded. */
  void make(BulkShardRequest bulk, RefCountingRunnable refs) {
    for (BulkItemRequest item : bulk.items()) {
      if (item.getPrimaryResponse() == null && item.request() instanceof IndexRequest document) {
        try {
          for (VectorPlan plan : plans(document)) {
            make(item, plan, refs);
          }
        } catch (Exception e) {
          made.add(new Made(item, null, null, e));
        }
      }
    }
  }

  private List<VectorPlan> plans(IndexRequest document) {
    Map<String, Object> part;
    try {
      part = DocumentSource.part(document.source(), document.getContentType(), paths);
    } catch (Exception e) {
      return List.of(); // Elasticsearch cannot read it either, and says why
    }
    return VectorPlan.of(
        fields, part, field -> Outdated.is(threadContext, field, document.opType()));
  }

  private void make(BulkItemRequest item, VectorPlan plan, RefCountingRunnable refs)
      throws Exception {
    String field = plan.field().name();
    if (plan.removes()) {
      made.add(new Made(item, field, null, null));
      return;
    }
    Serving encoder = serving.computeIfAbsent(plan.field(), this::serving);
    if (encoder.reason != null) {
      throw encoder.reason;
    }
    ActionListener<float[]> one =
        ActionListener.wrap(
            vector -> made.add(new Made(item, field, plan.field().value(vector), null)),
            e -> made.add(new Made(item, field, null, e)));
    ActionListener.run(
        ActionListener.releaseAfter(one, refs.acquire()),
        listener -> encoders.embedDocument(encoder.encoder, plan.text(encoder.encoder), listener));
  }

  private Serving serving(EmbeddedField field) {
    try {
      EncoderHandle encoder = encoders.require(field.encoder());
      field.require(encoder, index);
      return new Serving(encoder, null);
    } catch (Exception e) {
      return new Serving(null, e);
    }
  }

  /** Puts the vectors into the documents; one that lacks any of its vectors fails alone. */
  void write() {
    Map<BulkItemRequest, Map<String, Object>> vectors = new HashMap<>();
    for (Made one : made) {
      if (one.failure == null) {
        vectors.computeIfAbsent(one.item, item -> new HashMap<>()).put(one.field, one.vector);
      } else {
        fail(one.item, one.failure);
      }
    }
    vectors.forEach(
        (item, byField) -> {
          if (item.getPrimaryResponse() == null
              && item.request() instanceof IndexRequest document) {
            try {
              document.source(
                  DocumentSource.with(document.source(), document.getContentType(), byField),
                  document.getContentType());
            } catch (Exception e) {
              fail(item, e);
            }
          }
        });
  }

  private void fail(BulkItemRequest item, Exception failure) {
    if (item.getPrimaryResponse() == null) { // the first of several reasons is enough
      item.abort(index, failure);
    }
  }
}
