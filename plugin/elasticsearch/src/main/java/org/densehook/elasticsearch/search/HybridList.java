package org.densehook.elasticsearch.search;

import org.densehook.fusion.Normalizer;
import org.elasticsearch.search.retriever.RetrieverBuilder;

/**
 * How the list of one inner retriever takes part in the fusion.
 *
 * @param label what an explanation calls it
 * @param weight what its contributions are multiplied by, at least 0
 * @param normalizer how its scores are scaled; none for reciprocal rank fusion
 * @param minScore below which hits of it are left out, or null
 */
record HybridList(String label, double weight, Normalizer normalizer, Float minScore) {

  /** Labelled by the retriever's type and, where the user gave one, its name. */
  static HybridList of(RetrieverBuilder retriever, double weight, Normalizer normalizer) {
    String name = retriever.retrieverName();
    String label = name == null ? retriever.getName() : retriever.getName() + " " + name;
    return new HybridList(label, weight, normalizer, retriever.minScore());
  }

  /**
   * Whether a hit takes part. Elasticsearch heeds the min_score of some retrievers, and inside of
   * one that fuses not that of a kNN search; a hit of a sorted list may have no score.
   */
  boolean takes(float score) {
    return minScore == null || !(score < minScore);
  }
}
