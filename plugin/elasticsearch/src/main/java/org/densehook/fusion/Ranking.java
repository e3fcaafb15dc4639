package org.densehook.fusion;

import java.util.List;

/**
 * One list to be fused.
 *
 * @param hits its documents, best first; the first has rank 1. They need not be in the order of
 *     their scores: a list sorted by a date is ranked by date
 * @param weight what its contributions are multiplied by, at least 0
 * @param normalizer how its scores are scaled before they are added; reciprocal rank fusion looks
 *     at ranks alone
 */
public record Ranking<K>(List<Hit<K>> hits, double weight, Normalizer normalizer) {

  public Ranking {
    if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "weight is " + weight + "; it must be a number of at least 0");
    }
    hits = List.copyOf(hits);
  }

  /** The raw scores, in the order of the ranks. */
  double[] scores() {
    return hits.stream().mapToDouble(Hit::score).toArray();
  }
}
