package org.densehook.fusion;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Brings the scores of one ranking to a scale on which they can be added to another's. */
public enum Normalizer {
  /** To [0, 1] by the lowest and the highest; all ones when all are equal, as in pyserini. */
  MINMAX("minmax", Normalizer::minMax),
  /** Divided by their Euclidean length; left alone when it is 0. */
  L2_NORM("l2_norm", Normalizer::l2Norm),
  /**
   * Distance from their mean in population standard deviations; all zeros when all are equal. That
   * is ZMUV of Montague and Aslam 2001, "Relevance Score Normalization for Metasearch", who say too
   * that a document which is not retrieved needs an estimate: here it is the ranking's lowest.
   */
  ZSCORE("zscore", Normalizer::zScore),
  /** As they are. */
  NONE("none", UnaryOperator.identity());

  /** Normalizers by the name a user gives them. */
  public static final Map<String, Normalizer> BY_NAME;

  static {
    Map<String, Normalizer> byName = new LinkedHashMap<>();
    for (Normalizer normalizer : values()) {
      byName.put(normalizer.label, normalizer);
    }
    BY_NAME = Collections.unmodifiableMap(byName);
  }

  private final String label;
  private final UnaryOperator<double[]> function;

  Normalizer(String label, UnaryOperator<double[]> function) {
    this.label = label;
    this.function = function;
  }

  /** The name a user gives it. */
  public String label() {
    return label;
  }

  /**
   * As many normalised scores, in the same order; the argument is left as it is.
   *
   * @throws IllegalArgumentException when a score is not a finite number
   */
  double[] normalise(double[] scores) {
    if (!Arrays.stream(scores).allMatch(Double::isFinite)) {
      throw new IllegalArgumentException("a ranking has a score that is not a finite number");
    }
    return scores.length == 0 ? scores : function.apply(scores);
  }

  /**
   * The part of a document that the ranking does not hold.
   *
   * @param normalised the normalised scores of those that it holds
   */
  Part absent(double weight, double[] normalised) {
    return this == ZSCORE && normalised.length > 0
        ? Part.absent(weight, Arrays.stream(normalised).min().getAsDouble())
        : Part.absent(weight);
  }

  private static double[] minMax(double[] scores) {
    double low = Arrays.stream(scores).min().getAsDouble();
    double span = Arrays.stream(scores).max().getAsDouble() - low;
    return Arrays.stream(scores).map(score -> span == 0 ? 1.0 : (score - low) / span).toArray();
  }

  private static double[] l2Norm(double[] scores) {
    double length = Math.sqrt(exactSum(squares(scores)));
    return length == 0 ? scores : Arrays.stream(scores).map(score -> score / length).toArray();
  }

  private static double[] zScore(double[] scores) {
    double low = Arrays.stream(scores).min().getAsDouble();
    if (low == Arrays.stream(scores).max().getAsDouble()) {
      return new double[scores.length]; // a mean rounded in its last bit would say otherwise
    }
    double mean = exactSum(scores) / scores.length;
    double[] apart = Arrays.stream(scores).map(score -> score - mean).toArray();
    double deviation = Math.sqrt(exactSum(squares(apart)) / scores.length);
    return Arrays.stream(apart)
        .map(distance -> deviation == 0 ? 0.0 : distance / deviation)
        .toArray();
  }

  private static double[] squares(double[] values) {
    return Arrays.stream(values).map(value -> value * value).toArray();
  }

  /** The sum, rounded once, as Python's math.fsum gives it. */
  private static double exactSum(double[] values) {
    BigDecimal sum = BigDecimal.ZERO;
    for (double value : values) {
      sum = sum.add(new BigDecimal(value));
    }
    return sum.doubleValue();
  }
}
