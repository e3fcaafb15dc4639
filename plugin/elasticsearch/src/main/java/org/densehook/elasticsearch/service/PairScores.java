package org.densehook.elasticsearch.service;

/**
 * The scores of documents for a query.
 *
 * @param scores the encoder's own, in the documents' order; NaN where there is none
 * @param best which of a document's texts, or chunks, has that score
 * @param bounded whether the encoder's scores are from 0 to 1
 * @param why there is none of some: the first of the failures, or that time ran out; null where all
 *     have one
 */
public record PairScores(float[] scores, int[] best, boolean bounded, Exception why) {

  /** How many documents have a score. */
  public int scored() {
    int scored = 0;
    for (float score : scores) {
      scored += Float.isNaN(score) ? 0 : 1;
    }
    return scored;
  }
}
