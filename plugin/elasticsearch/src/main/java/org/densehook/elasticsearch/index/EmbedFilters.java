package org.densehook.elasticsearch.index;

import java.util.List;
import org.densehook.elasticsearch.service.Encoders;
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
      Encoders encoders,
      VectorFields vectorFields,
      ClusterService clusterService,
      IndexNameExpressionResolver indexNames,
      Client client,
      ThreadPool threadPool) {
    return List.of(
        new EmbedBulkFilter(encoders, vectorFields, clusterService, client, threadPool),
        new EmbedUpdateFilter(
            vectorFields, clusterService, indexNames, threadPool.getThreadContext()),
        new EmbedByQueryFilter(UpdateByQueryAction.NAME, threadPool.getThreadContext()),
        new EmbedByQueryFilter(ReindexAction.NAME, threadPool.getThreadContext()));
  }
}
