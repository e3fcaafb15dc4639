package org.densehook.elasticsearch.search;

import org.densehook.fusion.Normalizer;
import org.elasticsearch.search.retriever.RetrieverBuilder;

/**
 * How the list of one inner retriever takes part in the fusion.
 *
 * @param label what an explanation calls it
 * @param weight what its contributions are multiplied by, at least 0
 * @param normalizer how its scores are scaled; none for reciprocal rank fusion
 */
record HybridList(String label, double weight, Normalizer normalizer) {

  /** Labelled by the retriever's type and, where the user gave one, its name. */
  static HybridList of(RetrieverBuilder retriever, double weight, Normalizer normalizer) {
    String name = retriever.retrieverName();
    String label = name == null ? retriever.getName() : retriever.getName() + " " + name;
    return new HybridList(label, weight, normalizer);
  }
}
