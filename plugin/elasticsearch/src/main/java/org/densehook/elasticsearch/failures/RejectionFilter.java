package org.densehook.elasticsearch.failures;

import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.compat.ShardBulks;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.xcontent.XContentType;

/**
 * Keeps documents that an encoder turned away for now out of failure stores.
 *
 * <p>A data stream with a failure store takes every document that failed, and answers 201: a client
 * that was to send the document again believes that it is indexed. Elasticsearch asks nobody
 * whether a failure is of that kind. But the failed document passes here once more on its way into
 * the failure store, with what it failed of; refused here, the answer is the 429 it was.
 */
public final class RejectionFilter extends RequestFilter<BulkShardRequest, BulkShardResponse> {

  private static final Set<String> REJECTIONS =
      Set.of("es_rejected_execution_exception", "circuit_breaking_exception");
  private static final String PROCESSOR = "densehook";

  /** What every rejection of this plugin says; such exceptions have no stack trace. */
  private static final String OURS = "encoder [";

  public RejectionFilter() {
    super(TransportShardBulkAction.ACTION_NAME, BulkShardRequest.class);
  }

  @Override
  protected void apply(
      Task task,
      BulkShardRequest request,
      ActionListener<BulkShardResponse> listener,
      Next<BulkShardResponse> next) {
    refuse(request);
    next.proceed(listener);
  }

  private static void refuse(BulkShardRequest bulk) {
    boolean inline = false;
    for (BulkItemRequest item : bulk.items()) {
      if (item.request() instanceof IndexRequest failed && failed.isWriteToFailureStore()) {
        if (!inline) {
          ShardBulks.inlineSources(bulk);
          inline = true;
        }
        refuse(item, failed, bulk.shardId().getIndexName());
      }
    }
  }

  /** Refuses a document that is bound for a failure store, where it was turned away for now. */
  static void refuse(BulkItemRequest item, IndexRequest failed, String index) {
    String rejection = rejection(failed.source());
    if (rejection != null) {
      item.abort(index, new EsRejectedExecutionException(rejection));
    }
  }

  /**
   * Why an encoder turned a document away; null when it failed of something else.
   *
   * @param failure the document of a failure store
   */
  static String rejection(BytesReference failure) {
    Map<String, Object> error =
        XContentHelper.convertToMap(failure, false, XContentType.JSON, Set.of("error"), null).v2();
    if (!(error.get("error") instanceof Map<?, ?> stated)
        || !REJECTIONS.contains(String.valueOf(stated.get("type")))) {
      return null;
    }
    String message = String.valueOf(stated.get("message"));
    boolean ours = PROCESSOR.equals(stated.get("processor_type")) || message.contains(OURS);
    return ours ? message : null;
  }
}
