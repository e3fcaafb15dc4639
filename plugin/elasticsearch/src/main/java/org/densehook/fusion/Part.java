package org.densehook.fusion;

/**
 * What one ranking gave to a document.
 *
 * @param rank its rank there, from 1; 0 where the ranking does not hold it
 * @param score its raw score there; NaN where the ranking does not hold it
 * @param normalised the score after normalisation, or what stands for it where the ranking does not
 *     hold it; NaN where there is none
 * @param weight the ranking's weight
 * @param contribution what is added to the fused score
 */
public record Part(int rank, double score, double normalised, double weight, double contribution) {

  /** The part of a ranking that does not hold the document. */
  public static Part absent(double weight) {
    return new Part(0, Double.NaN, Double.NaN, weight, 0.0);
  }

  /** The same where something stands for its normalised score. */
  static Part absent(double weight, double normalised) {
    return new Part(0, Double.NaN, normalised, weight, weight * normalised);
  }

  /** Whether it changes the sum. */
  boolean counts() {
    return present() || contribution != 0;
  }

  /** Whether the ranking holds the document. */
  public boolean present() {
    return rank > 0;
  }
}
