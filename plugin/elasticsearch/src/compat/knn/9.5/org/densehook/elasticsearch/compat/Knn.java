package org.densehook.elasticsearch.compat;

import org.elasticsearch.search.retriever.KnnRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.vectors.KnnVectorQueryBuilder;
import org.elasticsearch.search.vectors.QueryVectorBuilder;
import org.elasticsearch.search.vectors.RescoreVectorBuilder;
import org.elasticsearch.search.vectors.VectorData;

/** kNN queries and retrievers as this version makes them. */
public final class Knn {

  private Knn() {}

  /** A knn query for a vector. */
  public static KnnVectorQueryBuilder query(
      String field,
      float[] vector,
      Integer k,
      Integer numCandidates,
      RescoreVectorBuilder rescore,
      Float similarity) {
    return new KnnVectorQueryBuilder(field, vector, k, numCandidates, null, rescore, similarity);
  }

  /** A knn retriever whose query vector is built from something else. */
  public static RetrieverBuilder retriever(
      String field, QueryVectorBuilder vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(
        field, (VectorData) null, vector, k, numCandidates, null, null, null);
  }

  /** A knn retriever for a vector. */
  public static RetrieverBuilder retriever(
      String field, VectorData vector, int k, int numCandidates) {
    return new KnnRetrieverBuilder(
        field, vector, (QueryVectorBuilder) null, k, numCandidates, null, null, null);
  }

  /** Whether the filter of a knn query in a nested object may be over the object's own fields. */
  public static boolean filtersNestedDocuments() {
    return true;
  }
}
