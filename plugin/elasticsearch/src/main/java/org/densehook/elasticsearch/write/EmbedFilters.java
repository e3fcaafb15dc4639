package org.densehook.elasticsearch.write;

import java.util.List;
import org.densehook.elasticsearch.compat.BulkPressure;
import org.densehook.elasticsearch.vectors.DocumentEmbedder;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.StoredDocuments;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.breaker.CircuitBreaker;
import org.elasticsearch.plugins.Plugin.PluginServices;

/** The filters of the actions that write: embedding with no pipeline, and who takes which turn. */
public final class EmbedFilters {

  private EmbedFilters() {}

  public static List<MappedActionFilter> all(
      DocumentEmbedder embedder,
      StoredDocuments storedDocuments,
      IndexVectorsCache indexVectors,
      BulkPressure pressure,
      PluginServices services) {
    BulkServices bulks =
        new BulkServices(
            embedder,
            storedDocuments,
            services.client(),
            services.threadPool(),
            services.scriptService(),
            pressure,
            services
                .indicesService()
                .getBigArrays()
                .breakerService()
                .getBreaker(CircuitBreaker.REQUEST));
    return List.of(
        new BulkScope(services.threadPool().getThreadContext()),
        new EmbedBulkFilter(bulks, indexVectors, services.clusterService()),
        new EmbedUpdateFilter(indexVectors, services));
  }
}
