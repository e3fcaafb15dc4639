package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteRequest.OpType;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkItemResponse;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.action.update.UpdateHelper;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.action.update.UpdateResponse;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.engine.VersionConflictEngineException;
import org.elasticsearch.index.get.GetResult;
import org.elasticsearch.index.seqno.SequenceNumbers;

/**
 * A bulk to one shard whose documents get their vectors before it goes on.
 *
 * <p>Updates are merged here ({@link UpdateMerge}) and go on as the documents that come out, each
 * on the condition that the stored one is still that which was read. Who loses against another
 * writer is merged and sent again, as the primary would have done. What a bulk does to a document
 * after an update of it waits until that is done.
 */
final class ShardBulk {

  // an update meets another writer only between its read and its write, so this is seldom more than
  // one; who keeps losing is told of the conflict
  private static final int ATTEMPTS = 10;

  private static final Exception TAKEN =
      new ElasticsearchException("the item is carried out on its own");

  private final BulkServices services;
  private final Collection collection;
  private final BulkShardRequest bulk;
  private final RefreshPolicy refresh;
  private final int attempt;
  private final Map<Integer, Update> updates = new ConcurrentHashMap<>();
  private final List<Integer> later;
  private final HeldMemory held;

  /**
   * What is written to.
   *
   * @param name of the index
   * @param vectors what its mapping says
   * @param reuses whether vectors of unchanged texts are taken from stored documents
   */
  record Collection(String name, IndexVectors vectors, List<FieldToEmbed> fields, boolean reuses) {}

  /**
   * An update that was merged.
   *
   * @param response what it answers without being written, or null
   */
  record Update(UpdateRequest request, UpdateMerge merge, UpdateResponse response) {}

  ShardBulk(BulkServices services, Collection collection, BulkShardRequest bulk) {
    this(services, collection, bulk, 1);
  }

  private ShardBulk(
      BulkServices services, Collection collection, BulkShardRequest bulk, int attempt) {
    this.services = services;
    this.collection = collection;
    this.bulk = bulk;
    this.attempt = attempt;
    refresh = bulk.getRefreshPolicy();
    later = afterUpdates(bulk);
    held = new HeldMemory(services.indexingPressure(), services.breaker());
  }

  /** The positions of items whose document an earlier item updates, or that update it again. */
  private static List<Integer> afterUpdates(BulkShardRequest bulk) {
    BulkItemRequest[] items = bulk.items();
    Set<String> updated = new HashSet<>();
    for (BulkItemRequest item : items) {
      if (item.getPrimaryResponse() == null && item.request() instanceof UpdateRequest) {
        updated.add(item.request().id());
      }
    }
    List<Integer> positions = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < items.length && !updated.isEmpty(); i++) {
      String id = items[i].request().id();
      if (items[i].getPrimaryResponse() == null && updated.contains(id) && !seen.add(id)) {
        positions.add(i);
      }
    }
    return positions;
  }

  /**
   * Makes the vectors, sends the bulk on, and puts the answers together.
   *
   * @param send carries the bulk out as it is then
   */
  void run(
      Consumer<ActionListener<BulkShardResponse>> send,
      ActionListener<BulkShardResponse> listener) {
    BulkItemRequest[] items = bulk.items();
    BulkItemRequest[] waiting = new BulkItemRequest[items.length];
    for (int position : later) {
      waiting[position] = new BulkItemRequest(items[position].id(), items[position].request());
      items[position].abort(collection.name, TAKEN); // the primary passes over it
    }
    if (!later.isEmpty()) {
      bulk.setRefreshPolicy(RefreshPolicy.NONE); // what follows refreshes, once
    }
    ActionListener<BulkShardResponse> released = ActionListener.runBefore(listener, held::close);
    Runnable proceed =
        () ->
            ActionListener.run(
                released,
                outer ->
                    send.accept(
                        outer.delegateFailureAndWrap(
                            (delegate, response) -> answer(response, waiting, delegate))));
    new BulkWindows(services, collection, bulk, updates, held)
        .run(services.threadPool().getThreadContext().preserveContext(proceed));
  }

  private void answer(
      BulkShardResponse response,
      BulkItemRequest[] waiting,
      ActionListener<BulkShardResponse> listener)
      throws IOException {
    BulkItemResponse[] answers = response.getResponses();
    Map<Integer, BulkItemRequest> again = new HashMap<>();
    for (Map.Entry<Integer, Update> entry : updates.entrySet()) {
      int position = entry.getKey();
      Update update = entry.getValue();
      if (lostToAnotherWriter(update, answers[position])) {
        again.put(position, new BulkItemRequest(bulk.items()[position].id(), update.request));
      } else {
        answers[position] = answer(update, answers[position]);
      }
    }
    Map<Integer, BulkItemRequest> rest = new HashMap<>();
    for (int position : later) {
      rest.put(position, waiting[position]);
    }
    again(again, answers, listener.map(done -> response), retried -> then(rest, answers, retried));
  }

  private void again(
      Map<Integer, BulkItemRequest> lost,
      BulkItemResponse[] answers,
      ActionListener<Void> listener,
      Consumer<ActionListener<Void>> then) {
    if (lost.isEmpty()) {
      then.accept(listener);
      return;
    }
    BulkShardRequest request = part(lost);
    new ShardBulk(services, collection, request, attempt + 1)
        .run(
            answer -> services.client().execute(TransportShardBulkAction.TYPE, request, answer),
            listener.delegateFailureAndWrap(
                (delegate, response) -> {
                  place(response, lost, answers);
                  then.accept(delegate);
                }));
  }

  private void then(
      Map<Integer, BulkItemRequest> rest,
      BulkItemResponse[] answers,
      ActionListener<Void> listener) {
    if (rest.isEmpty()) {
      listener.onResponse(null);
      return;
    }
    services
        .client()
        .execute(
            TransportShardBulkAction.TYPE,
            part(rest),
            listener.map(
                response -> {
                  place(response, rest, answers);
                  return null;
                }));
  }

  private BulkShardRequest part(Map<Integer, BulkItemRequest> items) {
    BulkItemRequest[] inOrder =
        items.keySet().stream().sorted().map(items::get).toArray(BulkItemRequest[]::new);
    BulkShardRequest part = Compat.part(bulk, refresh, inOrder);
    part.waitForActiveShards(bulk.waitForActiveShards());
    part.timeout(bulk.timeout());
    part.setParentTask(bulk.getParentTask());
    return part;
  }

  private static void place(
      BulkShardResponse response, Map<Integer, BulkItemRequest> items, BulkItemResponse[] answers) {
    int[] positions = items.keySet().stream().mapToInt(Integer::intValue).sorted().toArray();
    for (int i = 0; i < positions.length; i++) {
      answers[positions[i]] = response.getResponses()[i];
    }
  }

  private boolean lostToAnotherWriter(Update update, BulkItemResponse answer) {
    return update.response == null
        && answer.isFailed()
        && update.request.ifSeqNo() == SequenceNumbers.UNASSIGNED_SEQ_NO
        && attempt <= ATTEMPTS + update.request.retryOnConflict()
        && ExceptionsHelper.unwrapCause(answer.getFailure().getCause())
            instanceof VersionConflictEngineException;
  }

  /** The answer of an update, from that of what was carried out instead. */
  private BulkItemResponse answer(Update update, BulkItemResponse answer) throws IOException {
    if (update.response != null) {
      return BulkItemResponse.success(answer.getItemId(), OpType.UPDATE, update.response);
    }
    if (answer.isFailed()) {
      return BulkItemResponse.failure(answer.getItemId(), OpType.UPDATE, answer.getFailure());
    }
    DocWriteResponse written = answer.getResponse();
    UpdateResponse response =
        new UpdateResponse(
            written.getShardInfo(),
            written.getShardId(),
            written.getId(),
            written.getSeqNo(),
            written.getPrimaryTerm(),
            written.getVersion(),
            written.getResult());
    response.setForcedRefresh(written.forcedRefresh());
    response.setGetResult(got(update, written));
    return BulkItemResponse.success(answer.getItemId(), OpType.UPDATE, response);
  }

  /** The document that an update was asked to answer with, or null. */
  private GetResult got(Update update, DocWriteResponse written) throws IOException {
    if (update.request.fetchSource() == null || !update.request.fetchSource().fetchSource()) {
      return null;
    }
    UpdateMerge merge = update.merge;
    IndexRequest document = merge.request() instanceof IndexRequest index ? index : null;
    GetResult got =
        UpdateHelper.extractGetResult(
            update.request,
            written.getIndex(),
            null, // of no use to it
            written.getSeqNo(),
            written.getPrimaryTerm(),
            written.getVersion(),
            document == null
                ? merge.source()
                : XContentHelper.convertToMap(document.source(), true, document.getContentType())
                    .v2(),
            merge.contentType(),
            document == null ? null : document.source());
    return document == null ? got : EmbedUpdateFilter.without(collection.vectors, got);
  }
}
