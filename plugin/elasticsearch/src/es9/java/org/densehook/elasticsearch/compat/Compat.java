package org.densehook.elasticsearch.compat;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardBatch;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.Index;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersions;
import org.elasticsearch.search.retriever.KnnRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.vectors.KnnVectorQueryBuilder;
import org.elasticsearch.search.vectors.QueryVectorBuilder;
import org.elasticsearch.search.vectors.RescoreVectorBuilder;
import org.elasticsearch.search.vectors.VectorData;

/** Calls whose signatures differ. */
public final class Compat {

  private Compat() {}

  /** A knn query for a vector; all but the field and the vector may be null. */
  public static KnnVectorQueryBuilder knnQuery(
      String field,
      float[] vector,
      Integer k,
      Integer numCandidates,
      RescoreVectorBuilder rescore,
      Float similarity) {
    return new KnnVectorQueryBuilder(field, vector, k, numCandidates, null, rescore, similarity);
  }

  /** A knn retriever whose query vector is built from something else. */
  public static RetrieverBuilder knnRetriever(
      String field, QueryVectorBuilder vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(
        field, (VectorData) null, vector, k, numCandidates, null, null, null);
  }

  /** A knn retriever for a vector. */
  public static RetrieverBuilder knnRetriever(
      String field, VectorData vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(
        field, vector, (QueryVectorBuilder) null, k, numCandidates, null, null, null);
  }

  /** Whether the filter of a knn query in a nested object may be over the object's own fields. */
  public static boolean knnFiltersNestedDocuments() {
    return true;
  }

  /** The metadata of indices, aliases and templates: of a class of its own in each version. */
  public static ProjectMetadata metadata(ClusterState state) {
    return state.metadata().getProject(ProjectId.DEFAULT);
  }

  /** The metadata of an index, or null when it is gone. */
  public static IndexMetadata index(ClusterState state, Index index) {
    return state.metadata().findIndex(index).orElse(null);
  }

  /** Puts every document of a bulk into its own request. */
  public static void inlineSources(BulkShardRequest bulk) {
    try {
      BulkShardBatch.ensureInlineSources(bulk);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether vectors are written in base64: this version reads it, and where {@code _source} shows
   * no vectors, nobody meets it.
   */
  public static boolean takesBase64(IndexMetadata index) {
    // as the setting itself says, which a search of many indices has no time to ask each
    String stated =
        index
            .getSettings()
            .get(IndexSettings.INDEX_MAPPING_EXCLUDE_SOURCE_VECTORS_SETTING.getKey());
    return stated == null
        ? index.getCreationVersion().onOrAfter(IndexVersions.EXCLUDE_SOURCE_VECTORS_DEFAULT)
        : Boolean.parseBoolean(stated);
  }

  /** Every index there is. */
  public static Iterable<IndexMetadata> indices(ClusterState state) {
    return state.metadata().indicesAllProjects();
  }

  /** How long nodes have to answer. */
  public static NodesRequest within(TimeValue time, NodesRequest request) {
    request.setTimeout(time);
    return request;
  }

  /** A request for some of a bulk's items. */
  public static BulkShardRequest part(
      BulkShardRequest whole, RefreshPolicy refresh, BulkItemRequest[] items) {
    return new BulkShardRequest(
        whole.shardId(), whole.splitShardCountSummary(), refresh, items, whole.isSimulated());
  }
}
