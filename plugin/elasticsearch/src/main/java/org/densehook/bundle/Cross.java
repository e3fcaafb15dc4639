package org.densehook.bundle;

import java.util.Map;
import java.util.Set;

/**
 * A score for a pair of a query and a text, float32 [1]: the larger, the more the text answers it.
 *
 * @param pairing how the model reads a pair
 * @param sigmoid whether scores are from 0 to 1
 */
public record Cross(Pairing pairing, boolean sigmoid) implements Part {

  static final Set<String> KEYS = Set.of("pairing", "activation");

  static final String GOLDEN_KEY = "score";

  private static final String SIGMOID = "sigmoid";
  private static final Set<String> ACTIVATIONS = Set.of("identity", SIGMOID);

  // in logits; sigmoid changes by a quarter of what its logit does at most
  private static final Map<String, Double> BOUNDS =
      Map.of("fp32", 1e-3, "fp16", 0.05, "int8", 1.5, "int4", 3.0);
  private static final double STEEPEST = 0.25;

  /** How far from the golden scores those of a precision may be. */
  public double bound(String precision) {
    return BOUNDS.get(precision) * (sigmoid ? STEEPEST : 1);
  }

  static Cross read(Stated stated) throws BundleException {
    return new Cross(
        Pairing.read(stated, "pairing"), stated.oneOf("activation", ACTIVATIONS).equals(SIGMOID));
  }

  static float[] golden(Part part, Stated golden) throws BundleException {
    float score = golden.real(GOLDEN_KEY);
    if (((Cross) part).sigmoid && !(score >= 0 && score <= 1)) {
      throw new BundleException(
          golden.where() + ": score is [" + score + "]; by sigmoid it must be from 0 to 1");
    }
    return new float[] {score};
  }
}
