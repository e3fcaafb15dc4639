package org.densehook.elasticsearch.write;

import java.util.List;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.tasks.Task;

/**
 * The door of every write: documents get their vectors before they go to their shard.
 *
 * <p>Every write passes here once, as items of a bulk, on the node that coordinates it: replicas
 * and retries of the replication do not. Security has judged it before.
 */
final class EmbedBulkFilter implements MappedActionFilter {

  private final BulkServices services;
  private final IndexVectorsCache indexVectors;
  private final ClusterService clusterService;
  private final NotesMapping notesMapping;

  EmbedBulkFilter(
      BulkServices services, IndexVectorsCache indexVectors, ClusterService clusterService) {
    this.services = services;
    this.indexVectors = indexVectors;
    this.clusterService = clusterService;
    notesMapping = new NotesMapping(services.client(), services.threadPool());
  }

  @Override
  public String actionName() {
    return TransportShardBulkAction.ACTION_NAME;
  }

  @Override
  public <Q extends ActionRequest, R extends ActionResponse> void apply(
      Task task,
      String action,
      Q request,
      ActionListener<R> listener,
      ActionFilterChain<Q, R> chain) {
    IndexMetadata index =
        request instanceof BulkShardRequest bulk
            ? Compat.index(clusterService.state(), bulk.shardId().getIndex())
            : null;
    if (index == null || !concerns((BulkShardRequest) request, index)) {
      chain.proceed(task, action, request, listener);
      return;
    }
    BulkShardRequest bulk = (BulkShardRequest) request;
    ActionListener.run(
        listener,
        outer -> {
          Compat.inlineSources(bulk);
          embed(
              bulk,
              index,
              outer.map(EmbedBulkFilter::<R>asResponse),
              answer ->
                  chain.proceed(task, action, request, answer.map(r -> (BulkShardResponse) r)));
        });
  }

  @SuppressWarnings("unchecked")
  private static <R extends ActionResponse> R asResponse(BulkShardResponse response) {
    return (R) response;
  }

  private boolean concerns(BulkShardRequest bulk, IndexMetadata index) {
    if (EmbedSettings.embeds(index) || !indexVectors.of(index).fields().isEmpty()) {
      return true;
    }
    for (BulkItemRequest item : bulk.items()) {
      if (item.request() instanceof UpdateRequest update
          && (isOrdered(update.doc()) || isOrdered(update.upsertRequest()))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOrdered(IndexRequest document) {
    return document != null && EmbedOrder.maybeIn(document.source());
  }

  /** Carries a bulk out. */
  private interface Send {
    void to(ActionListener<BulkShardResponse> listener);
  }

  private void embed(
      BulkShardRequest bulk,
      IndexMetadata index,
      ActionListener<BulkShardResponse> listener,
      Send send) {
    IndexVectors vectors = indexVectors.of(index);
    String name = index.getIndex().getName();
    boolean fills = EmbedSettings.embeds(index);
    List<FieldToEmbed> fields;
    try {
      fields = services.embedder().fields(vectors, name, fills);
      if (fills && fields.isEmpty()) {
        throw EmbedSettings.nothingToEmbed(index);
      }
    } catch (Exception e) {
      fail(bulk, name, e);
      send.to(listener);
      return;
    }
    ShardBulk work =
        new ShardBulk(
            services,
            new ShardBulk.Collection(name, vectors, fields, EmbedSettings.reuses(index)),
            bulk);
    if (fields.isEmpty() || vectors.takesNotes()) {
      work.run(send::to, listener);
      return;
    }
    notesMapping.add(
        index.getIndex(),
        ActionListener.wrap(
            added -> work.run(send::to, listener),
            e -> {
              fail(bulk, name, e);
              send.to(listener);
            }));
  }

  /** Fails the documents of an index that cannot be embedded; deletions go on. */
  private static void fail(BulkShardRequest bulk, String index, Exception reason) {
    for (BulkItemRequest item : bulk.items()) {
      if (item.getPrimaryResponse() == null && !(item.request() instanceof DeleteRequest)) {
        item.abort(index, reason);
      }
    }
  }
}
