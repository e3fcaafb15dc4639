package org.densehook.elasticsearch.write;

import java.util.List;
import org.densehook.elasticsearch.compat.ShardBulks;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.densehook.elasticsearch.vectors.EmbedOrder;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.index.IndexRequest;
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
final class EmbedBulkFilter extends RequestFilter<BulkShardRequest, BulkShardResponse> {

  private final BulkServices services;
  private final IndexVectorsCache indexVectors;
  private final ClusterService clusterService;
  private final NotesMapping notesMapping;

  EmbedBulkFilter(
      BulkServices services, IndexVectorsCache indexVectors, ClusterService clusterService) {
    super(TransportShardBulkAction.ACTION_NAME, BulkShardRequest.class);
    this.services = services;
    this.indexVectors = indexVectors;
    this.clusterService = clusterService;
    notesMapping = new NotesMapping(services.client(), services.threadPool());
  }

  @Override
  protected void apply(
      Task task,
      BulkShardRequest request,
      ActionListener<BulkShardResponse> listener,
      Next<BulkShardResponse> next) {
    IndexMetadata index = StateMetadata.index(clusterService.state(), request.shardId().getIndex());
    if (index == null || !concerns(request, index)) {
      next.proceed(listener);
      return;
    }
    ActionListener.run(
        listener,
        outer -> {
          ShardBulks.inlineSources(request);
          embed(request, index, outer, next);
        });
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

  private void embed(
      BulkShardRequest bulk,
      IndexMetadata index,
      ActionListener<BulkShardResponse> listener,
      Next<BulkShardResponse> next) {
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
      next.proceed(listener);
      return;
    }
    ShardBulk work =
        new ShardBulk(
            services,
            new BulkIndex(name, vectors, fields, EmbedSettings.reuses(index)),
            bulk,
            BulkScope.of(services.threadPool().getThreadContext()));
    if (fields.isEmpty() || vectors.takesNotes()) {
      work.run(next, listener);
      return;
    }
    notesMapping.add(
        index.getIndex(),
        ActionListener.wrap(
            added -> work.run(next, listener),
            e -> {
              fail(bulk, name, e);
              next.proceed(listener);
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
