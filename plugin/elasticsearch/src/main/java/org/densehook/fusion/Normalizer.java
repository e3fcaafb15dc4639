package org.densehook.fusion;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;
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
  ZSCORE("zscore", Normalizer::zScore, Normalizer::lowest),
  /**
   * From the mean less three of the sample's standard deviations, which is 0, to the mean with
   * three more, which is 1; equal ones are all 0.5, and nothing is clipped. That is
   * distribution-based score fusion of Mazzeschi 2023, as Qdrant has it.
   */
  DBSF("dbsf", Normalizer::distributionBased, Normalizer::zeroOrLower),
  /**
   * Divided by the highest: min-max from the lowest score there can be, which is 0 for BM25 and for
   * Elasticsearch's scores of vectors; with scores below 0 as min-max. That is TM2C2 of Bruch, Gai
   * and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval".
   */
  TMM("tmm", Normalizer::theoreticalMinMax),
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
  private final ToDoubleFunction<double[]> absent;

  /** Of a document that a ranking does not hold nothing is known. */
  Normalizer(String label, UnaryOperator<double[]> function) {
    this(label, function, scaled -> Double.NaN);
  }

  /**
   * Of a document that a ranking does not hold something stands for its score.
   *
   * @param absent from the ranking's scaled scores what that is; NaN for nothing. It is never more
   *     than the last of the ranking has
   */
  Normalizer(String label, UnaryOperator<double[]> function, ToDoubleFunction<double[]> absent) {
    this.label = label;
    this.function = function;
    this.absent = absent;
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
    double scaled = normalised.length == 0 ? Double.NaN : absent.applyAsDouble(normalised);
    return Double.isNaN(scaled) ? Part.absent(weight) : Part.absent(weight, scaled);
  }

  private static double lowest(double[] scores) {
    return Arrays.stream(scores).min().getAsDouble();
  }

  private static double highest(double[] scores) {
    return Arrays.stream(scores).max().getAsDouble();
  }

  private static double zeroOrLower(double[] scaled) {
    double lowest = lowest(scaled);
    return lowest < 0 ? lowest : Double.NaN;
  }

  private static double[] minMax(double[] scores) {
    return from(lowest(scores), scores);
  }

  private static double[] theoreticalMinMax(double[] scores) {
    return from(Math.min(0.0, lowest(scores)), scores);
  }

  /** Scaled to [0, 1], 0 at the lowest; ones where nothing is above it. */
  private static double[] from(double low, double[] scores) {
    double span = highest(scores) - low;
    return Arrays.stream(scores).map(score -> span == 0 ? 1.0 : (score - low) / span).toArray();
  }

  private static double[] l2Norm(double[] scores) {
    double length = Math.sqrt(exactSum(squares(scores)));
    return length == 0 ? scores : Arrays.stream(scores).map(score -> score / length).toArray();
  }

  private static double[] zScore(double[] scores) {
    if (lowest(scores) == highest(scores)) {
      return new double[scores.length]; // a mean rounded in its last bit would say otherwise
    }
    double mean = mean(scores);
    double deviation = deviation(scores, mean, scores.length);
    return Arrays.stream(scores)
        .map(score -> deviation == 0 ? 0.0 : (score - mean) / deviation)
        .toArray();
  }

  private static double[] distributionBased(double[] scores) {
    double mean = mean(scores);
    double deviation =
        lowest(scores) == highest(scores) ? 0 : deviation(scores, mean, scores.length - 1);
    double low = mean - 3 * deviation;
    double high = mean + 3 * deviation;
    return Arrays.stream(scores)
        .map(score -> high > low ? (score - low) / (high - low) : 0.5)
        .toArray();
  }

  private static double mean(double[] scores) {
    return exactSum(scores) / scores.length;
  }

  /** The standard deviation with that many degrees of freedom. */
  private static double deviation(double[] scores, double mean, int freedom) {
    double[] apart = Arrays.stream(scores).map(score -> score - mean).toArray();
    return Math.sqrt(exactSum(squares(apart)) / freedom);
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
