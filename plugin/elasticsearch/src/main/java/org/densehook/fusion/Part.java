package org.densehook.fusion;

/**
 * What one ranking gave to a document.
 *
 * @param rank its rank there, from 1; 0 where the ranking does not hold it
 * @param score its raw score there; NaN where the ranking does not hold it
 * @param normalised the score after normalisation; NaN where there is none
 * @param weight the ranking's weight
 * @param contribution what is added to the fused score; 0 where the ranking does not hold it
 */
public record Part(int rank, double score, double normalised, double weight, double contribution) {

  /** The part of a ranking that does not hold the document. */
  public static Part absent(double weight) {
    return new Part(0, Double.NaN, Double.NaN, weight, 0.0);
  }

  /** Whether the ranking holds the document. */
  public boolean present() {
    return rank > 0;
  }
}
