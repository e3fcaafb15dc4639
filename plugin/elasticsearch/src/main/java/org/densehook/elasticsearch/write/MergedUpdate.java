package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.Map;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.DocWriteRequest.OpType;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.bulk.BulkItemResponse;
import org.elasticsearch.action.get.GetResponse;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.update.UpdateHelper;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.action.update.UpdateResponse;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.engine.VersionConflictEngineException;
import org.elasticsearch.index.get.GetResult;
import org.elasticsearch.index.seqno.SequenceNumbers;
import org.elasticsearch.index.shard.ShardId;

/**
 * An update of a bulk in whose place something else is carried out, and what it answers.
 *
 * @param response what it answers without being written, or null
 */
record MergedUpdate(UpdateRequest request, UpdateMerge merge, UpdateResponse response) {

  /** One that is not written. */
  static MergedUpdate unchanged(
      UpdateRequest request, UpdateMerge merge, ShardId shard, GetResponse found) {
    UpdateResponse response =
        new UpdateResponse(
            shard,
            request.id(),
            found.getSeqNo(),
            found.getPrimaryTerm(),
            found.getVersion(),
            DocWriteResponse.Result.NOOP);
    response.setGetResult(got(request, merge, response, merge.source(), found.getSourceInternal()));
    return new MergedUpdate(request, merge, response);
  }

  /**
   * Whether it is to be merged again, since somebody else wrote between its read and its write.
   *
   * @param again whether it may be
   */
  boolean lostToAnotherWriter(BulkItemResponse answer, boolean again) {
    return response == null
        && again
        && answer.isFailed()
        && request.ifSeqNo() == SequenceNumbers.UNASSIGNED_SEQ_NO
        && ExceptionsHelper.unwrapCause(answer.getFailure().getCause())
            instanceof VersionConflictEngineException;
  }

  /**
   * Its answer, from that of what was carried out instead.
   *
   * @param vectors of the index: they are not shown
   */
  BulkItemResponse answer(BulkItemResponse answer, IndexVectors vectors) throws IOException {
    if (response != null) {
      return BulkItemResponse.success(answer.getItemId(), OpType.UPDATE, response);
    }
    if (answer.isFailed()) {
      return BulkItemResponse.failure(answer.getItemId(), OpType.UPDATE, answer.getFailure());
    }
    DocWriteResponse written = answer.getResponse();
    UpdateResponse updated =
        new UpdateResponse(
            written.getShardInfo(),
            written.getShardId(),
            written.getId(),
            written.getSeqNo(),
            written.getPrimaryTerm(),
            written.getVersion(),
            written.getResult());
    updated.setForcedRefresh(written.forcedRefresh());
    updated.setGetResult(got(written, vectors));
    return BulkItemResponse.success(answer.getItemId(), OpType.UPDATE, updated);
  }

  /** The document that it was asked to answer with, or null. */
  private GetResult got(DocWriteResponse written, IndexVectors vectors) throws IOException {
    if (request.fetchSource() == null || !request.fetchSource().fetchSource()) {
      return null;
    }
    if (!(merge.request() instanceof IndexRequest document)) {
      return got(request, merge, written, merge.source(), null);
    }
    Map<String, Object> source =
        XContentHelper.convertToMap(document.source(), true, document.getContentType()).v2();
    return EmbedUpdateFilter.without(
        vectors, got(request, merge, written, source, document.source()));
  }

  private static GetResult got(
      UpdateRequest request,
      UpdateMerge merge,
      DocWriteResponse written,
      Map<String, Object> source,
      BytesReference bytes) {
    return UpdateHelper.extractGetResult(
        request,
        written.getIndex(),
        null, // of no use to it
        written.getSeqNo(),
        written.getPrimaryTerm(),
        written.getVersion(),
        source,
        merge.contentType(),
        bytes);
  }
}
