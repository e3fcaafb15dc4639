package org.densehook.elasticsearch.write;

import java.util.List;
import java.util.function.Consumer;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.bulk.BulkShardResponse;
import org.elasticsearch.action.bulk.TransportShardBulkAction;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.tasks.TaskId;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * Gives vectors to the documents that are about to be written to a shard.
 *
 * <p>Every write passes here once, as items of a bulk, on the node that coordinates it: replicas
 * and retries of the replication do not.
 */
final class EmbedBulkFilter implements MappedActionFilter {

  private final NodeEncoders encoders;
  private final IndexVectorsCache indexVectors;
  private final ClusterService clusterService;
  private final Client client;
  private final ThreadPool threadPool;

  EmbedBulkFilter(
      NodeEncoders encoders,
      IndexVectorsCache indexVectors,
      ClusterService clusterService,
      Client client,
      ThreadPool threadPool) {
    this.encoders = encoders;
    this.indexVectors = indexVectors;
    this.clusterService = clusterService;
    this.client = client;
    this.threadPool = threadPool;
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
    if (request instanceof BulkShardRequest bulk) {
      IndexMetadata index = Compat.index(clusterService.state(), bulk.shardId().getIndex());
      if (EmbedSettings.embeds(index)) {
        List<EmbeddedField> fields =
            indexVectors.of(index).fields().values().stream()
                .filter(field -> !field.inputs().isEmpty())
                .toList();
        if (fields.isEmpty()) {
          refuse(bulk, index);
          chain.proceed(task, action, request, listener);
          return;
        }
        Compat.inlineSources(bulk);
        UpdatesApart apart =
            new UpdatesApart(
                client,
                threadPool,
                new TaskId(clusterService.localNode().getId(), task.getId()),
                bulk);
        apart.take(index, fields);
        embed(
            bulk,
            new BulkVectors(encoders, threadPool.getThreadContext(), index, fields),
            apart,
            listener.<R>map(response -> answered(apart, response)),
            answer -> chain.proceed(task, action, request, answer));
        return;
      }
    }
    chain.proceed(task, action, request, listener);
  }

  /** Fails the documents of an index that does not say what to embed; deletions go on. */
  private static void refuse(BulkShardRequest bulk, IndexMetadata index) {
    for (BulkItemRequest item : bulk.items()) {
      if (!(item.request() instanceof DeleteRequest)) {
        item.abort(index.getIndex().getName(), EmbedSettings.nothingToEmbed(index));
      }
    }
  }

  private <R> void embed(
      BulkShardRequest bulk,
      BulkVectors vectors,
      UpdatesApart apart,
      ActionListener<R> listener,
      Consumer<ActionListener<R>> chain) {
    Runnable proceed =
        () ->
            ActionListener.run(
                listener,
                answer -> {
                  vectors.write();
                  chain.accept(answer);
                });
    // identity and headers are the caller's, whichever thread is the last to be done
    Runnable inContext = threadPool.getThreadContext().preserveContext(proceed);
    try (RefCountingRunnable refs = new RefCountingRunnable(inContext)) {
      vectors.make(bulk, refs);
      apart.send(refs);
    }
  }

  private static <R> R answered(UpdatesApart apart, R response) {
    if (response instanceof BulkShardResponse bulk) {
      apart.answer(bulk.getResponses());
    }
    return response;
  }
}
