package org.densehook.elasticsearch.compat;

import org.elasticsearch.action.bulk.BulkItemRequest;
import org.elasticsearch.action.bulk.BulkShardRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.Index;
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
    return new KnnVectorQueryBuilder(field, vector, k, numCandidates, rescore, similarity);
  }

  /** A knn retriever whose query vector is built from something else. */
  public static RetrieverBuilder knnRetriever(
      String field, QueryVectorBuilder vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(field, null, vector, k, numCandidates, null, null);
  }

  /** A knn retriever for a vector. */
  public static RetrieverBuilder knnRetriever(
      String field, VectorData vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(
        field, vector.asFloatVector(), null, k, numCandidates, null, null);
  }

  /** Whether the filter of a knn query in a nested object may be over the object's own fields. */
  public static boolean knnFiltersNestedDocuments() {
    return false;
  }

  /** The metadata of indices, aliases and templates: of a class of its own in each version. */
  public static Metadata metadata(ClusterState state) {
    return state.metadata();
  }

  /** The metadata of an index, or null when it is gone. */
  public static IndexMetadata index(ClusterState state, Index index) {
    return state.metadata().index(index);
  }

  /** Puts every document of a bulk into its own request, where this version always has it. */
  public static void inlineSources(BulkShardRequest bulk) {}

  /** Whether vectors are written in base64; this version reads none. */
  public static boolean takesBase64(IndexMetadata index) {
    return false;
  }

  /** Every index there is. */
  public static Iterable<IndexMetadata> indices(ClusterState state) {
    return state.metadata().indices().values();
  }

  /** How long nodes have to answer. */
  public static NodesRequest within(TimeValue time, NodesRequest request) {
    request.timeout(time);
    return request;
  }

  /** A request for some of a bulk's items. */
  public static BulkShardRequest part(
      BulkShardRequest whole, RefreshPolicy refresh, BulkItemRequest[] items) {
    return new BulkShardRequest(whole.shardId(), refresh, items, whole.isSimulated());
  }
}
