package org.densehook.elasticsearch.write;

import java.util.List;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.index.reindex.ReindexAction;
import org.elasticsearch.index.reindex.UpdateByQueryAction;
import org.elasticsearch.threadpool.ThreadPool;

/** Embedding with no pipeline, as filters of the actions that write. */
public final class EmbedFilters {

  private EmbedFilters() {}

  public static List<MappedActionFilter> all(
      NodeEncoders encoders,
      IndexVectorsCache indexVectors,
      ClusterService clusterService,
      IndexNameExpressionResolver indexNames,
      Client client,
      ThreadPool threadPool) {
    return List.of(
        new EmbedBulkFilter(encoders, indexVectors, clusterService, client, threadPool),
        new EmbedUpdateFilter(
            indexVectors, clusterService, indexNames, threadPool.getThreadContext()),
        new EmbedByQueryFilter(UpdateByQueryAction.NAME, threadPool.getThreadContext()),
        new EmbedByQueryFilter(ReindexAction.NAME, threadPool.getThreadContext()));
  }
}
