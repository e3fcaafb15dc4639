package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.densehook.elasticsearch.compat.ShardBulks;
import org.densehook.elasticsearch.filter.RequestFilter.Next;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkItemResponse;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.action.update.UpdateRequest;

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
  private final BulkIndex index;
  private final BulkShardRequest bulk;
  private final Object turn;
  private final int attempt;
  private final RefreshPolicy refresh;
  private final Map<Integer, MergedUpdate> updates = new ConcurrentHashMap<>();

  /**
   * Nothing is done yet.
   *
   * @param turn what the documents came in with, which has its turn at the encoders
   */
  ShardBulk(BulkServices services, BulkIndex index, BulkShardRequest bulk, Object turn) {
    this(services, index, bulk, turn, 1);
  }

  private ShardBulk(
      BulkServices services, BulkIndex index, BulkShardRequest bulk, Object turn, int attempt) {
    this.services = services;
    this.index = index;
    this.bulk = bulk;
    this.turn = turn;
    this.attempt = attempt;
    refresh = bulk.getRefreshPolicy();
  }

  /**
   * Makes the vectors, sends the bulk on, and puts the answers together.
   *
   * @param next carries the bulk out as it is then
   */
  void run(Next<BulkShardResponse> next, ActionListener<BulkShardResponse> listener) {
    Map<Integer, BulkItemRequest> later = takeAfterUpdates();
    HeldMemory held = new HeldMemory(services.pressure(), services.breaker());
    ActionListener<BulkShardResponse> released = ActionListener.runBefore(listener, held::close);
    Runnable proceed =
        () ->
            ActionListener.run(
                released,
                outer ->
                    next.proceed(
                        outer.delegateFailureAndWrap(
                            (delegate, response) -> answer(response, later, delegate))));
    new BulkWindows(new BulkInWork(services, index, bulk, updates, held), turn)
        .run(services.threadPool().getThreadContext().preserveContext(proceed));
  }

  /** Takes out the items, by position, whose document an earlier one updates or they update too. */
  private Map<Integer, BulkItemRequest> takeAfterUpdates() {
    BulkItemRequest[] items = bulk.items();
    Set<String> updated = new HashSet<>();
    for (BulkItemRequest item : items) {
      if (item.getPrimaryResponse() == null && item.request() instanceof UpdateRequest) {
        updated.add(item.request().id());
      }
    }
    Map<Integer, BulkItemRequest> taken = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < items.length && !updated.isEmpty(); i++) {
      String id = items[i].request().id();
      if (items[i].getPrimaryResponse() == null && updated.contains(id) && !seen.add(id)) {
        taken.put(i, new BulkItemRequest(items[i].id(), items[i].request()));
        items[i].abort(index.name(), TAKEN); // the primary passes over it
      }
    }
    if (!taken.isEmpty()) {
      bulk.setRefreshPolicy(RefreshPolicy.NONE); // what follows refreshes, once
    }
    return taken;
  }

  private void answer(
      BulkShardResponse response,
      Map<Integer, BulkItemRequest> later,
      ActionListener<BulkShardResponse> listener)
      throws IOException {
    BulkItemResponse[] answers = response.getResponses();
    Map<Integer, BulkItemRequest> lost = new HashMap<>();
    for (Map.Entry<Integer, MergedUpdate> entry : updates.entrySet()) {
      int position = entry.getKey();
      MergedUpdate update = entry.getValue();
      boolean again = attempt <= ATTEMPTS + update.request().retryOnConflict();
      if (update.lostToAnotherWriter(answers[position], again)) {
        lost.put(position, new BulkItemRequest(bulk.items()[position].id(), update.request()));
      } else {
        answers[position] = update.answer(answers[position], index.vectors());
      }
    }
    sendAgain(
        lost,
        answers,
        listener.delegateFailureAndWrap(
            (delegate, done) -> send(later, answers, delegate.map(all -> response))));
  }

  /** Merges updates anew and sends them. */
  private void sendAgain(
      Map<Integer, BulkItemRequest> lost, BulkItemResponse[] answers, ActionListener<Void> done) {
    if (lost.isEmpty()) {
      done.onResponse(null);
      return;
    }
    BulkShardRequest request = part(lost);
    new ShardBulk(services, index, request, turn, attempt + 1)
        .run(answer -> execute(request, answer), placing(lost, answers, done));
  }

  /** Sends items as they are. */
  private void send(
      Map<Integer, BulkItemRequest> items, BulkItemResponse[] answers, ActionListener<Void> done) {
    if (items.isEmpty()) {
      done.onResponse(null);
    } else {
      execute(part(items), placing(items, answers, done));
    }
  }

  private void execute(BulkShardRequest request, ActionListener<BulkShardResponse> listener) {
    services.client().execute(TransportShardBulkAction.TYPE, request, listener);
  }

  private BulkShardRequest part(Map<Integer, BulkItemRequest> items) {
    BulkItemRequest[] inOrder =
        items.keySet().stream().sorted().map(items::get).toArray(BulkItemRequest[]::new);
    BulkShardRequest part = ShardBulks.part(bulk, refresh, inOrder);
    part.waitForActiveShards(bulk.waitForActiveShards());
    part.timeout(bulk.timeout());
    part.setParentTask(bulk.getParentTask());
    return part;
  }

  /** Puts the answers of some items where they belong. */
  private static ActionListener<BulkShardResponse> placing(
      Map<Integer, BulkItemRequest> items, BulkItemResponse[] answers, ActionListener<Void> done) {
    List<Integer> positions = new ArrayList<>(items.keySet());
    positions.sort(null);
    return done.map(
        response -> {
          for (int i = 0; i < positions.size(); i++) {
            answers[positions.get(i)] = response.getResponses()[i];
          }
          return null;
        });
  }
}
