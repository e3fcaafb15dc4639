package org.densehook.bundle;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One vector for a text, float32 [dims].
 *
 * @param normalise whether its vectors have length 1
 */
public record Dense(int dims, String similarity, boolean normalise) implements Part {

  static final Set<String> KEYS = Set.of("dims", "similarity", "pooling", "normalise");

  static final String GOLDEN_KEY = "vector";

  private static final Set<String> SIMILARITIES =
      Set.of("cosine", "dot_product", "max_inner_product");

  private static final Set<String> POOLINGS =
      Set.of("mean", "cls", "last", "max", "mean_sqrt_len", "weightedmean");

  // where a graph that others exported gives the vector itself, and nobody says how
  private static final String UNSTATED_POOLING = "graph";

  private static final Map<String, Double> LOWEST_COSINES =
      Map.of("fp32", 0.99999, "fp16", 0.9999, "int8", 0.95, "int4", 0.85);

  @Override
  public boolean normalises() {
    return normalise;
  }

  /** The lowest cosine to the golden PyTorch vectors that a precision may show. */
  public static double lowestCosine(String precision) {
    return LOWEST_COSINES.get(precision);
  }

  static Dense read(Stated stated) throws BundleException {
    String pooling = stated.text("pooling"); // cls+mean: what two give, side by side
    if (!pooling.equals(UNSTATED_POOLING)
        && !POOLINGS.containsAll(Arrays.asList(pooling.split("\\+", -1)))) {
      throw new BundleException(
          "encoder.json: pooling is ["
              + pooling
              + "]; known: "
              + String.join(", ", new TreeSet<>(POOLINGS))
              + ", and several side by side, as cls+mean");
    }
    return new Dense(
        stated.number("dims", 1),
        stated.oneOf("similarity", SIMILARITIES),
        stated.truth("normalise"));
  }

  static float[] golden(Part part, Stated golden) throws BundleException {
    int dims = part.dims();
    float[] vector = golden.vector(GOLDEN_KEY);
    if (vector.length != dims) {
      throw new BundleException(
          golden.where() + " has a vector of " + vector.length + " numbers; it must have " + dims);
    }
    return vector;
  }
}
