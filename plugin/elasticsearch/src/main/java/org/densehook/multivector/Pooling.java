package org.densehook.multivector;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Fewer token vectors: those that are alike become their mean. Clavié, Chaffin and Adams 2024, by
 * Ward's criterion; as the Python package does it.
 */
public final class Pooling {

  /** The first token's vector stays as it is: it stands for the text as a whole. */
  private static final int PROTECTED = 1;

  private final float[] vectors;
  private final int dims;
  private final int tokens;
  private final double[][] distances;
  private final double[] sizes;
  private final List<List<Integer>> groups = new ArrayList<>();

  private Pooling(float[] vectors, int dims) {
    this.vectors = vectors;
    this.dims = dims;
    tokens = vectors.length / dims - PROTECTED;
    distances = new double[tokens][tokens];
    sizes = new double[tokens];
    Arrays.fill(sizes, 1);
    for (int one = 0; one < tokens; one++) {
      groups.add(new ArrayList<>(List.of(one)));
      for (int other = 0; other < one; other++) {
        distances[one][other] = Math.max(2 - 2 * product(one, other), 0);
        distances[other][one] = distances[one][other];
      }
      distances[one][one] = Double.POSITIVE_INFINITY;
    }
  }

  /**
   * As many vectors divided by the factor, of length 1.
   *
   * @param vectors float32 [tokens, dims] of length 1, one behind the other
   */
  public static float[] pooled(float[] vectors, int dims, int factor) {
    int tokens = vectors.length / dims - PROTECTED;
    int wanted = Math.max(1, tokens / factor);
    if (tokens <= wanted) {
      return vectors;
    }
    Pooling pooling = new Pooling(vectors, dims);
    for (int left = tokens; left > wanted; left--) {
      pooling.mergeNearest();
    }
    return pooling.means(wanted);
  }

  private double product(int one, int other) {
    int a = (PROTECTED + one) * dims;
    int b = (PROTECTED + other) * dims;
    double sum = 0;
    for (int dim = 0; dim < dims; dim++) {
      sum += (double) vectors[a + dim] * vectors[b + dim];
    }
    return sum;
  }

  /** Merges the two groups that are nearest, the first two of several. */
  private void mergeNearest() {
    int one = 0;
    int other = 0;
    double nearest = Double.POSITIVE_INFINITY;
    for (int row = 0; row < tokens; row++) {
      for (int column = row + 1; column < tokens; column++) {
        if (distances[row][column] < nearest) {
          nearest = distances[row][column];
          one = row;
          other = column;
        }
      }
    }
    for (int third = 0; third < tokens; third++) { // Lance and Williams 1967
      double merged =
          ((sizes[one] + sizes[third]) * distances[one][third]
                  + (sizes[other] + sizes[third]) * distances[other][third]
                  - sizes[third] * nearest)
              / (sizes[one] + sizes[other] + sizes[third]);
      distances[one][third] = merged;
      distances[third][one] = merged;
    }
    distances[one][one] = Double.POSITIVE_INFINITY;
    for (int third = 0; third < tokens; third++) {
      distances[other][third] = Double.POSITIVE_INFINITY;
      distances[third][other] = Double.POSITIVE_INFINITY;
    }
    sizes[one] += sizes[other];
    groups.get(one).addAll(groups.get(other));
    groups.get(other).clear();
  }

  private float[] means(int wanted) {
    float[] means = Arrays.copyOf(vectors, (PROTECTED + wanted) * dims);
    int at = PROTECTED * dims;
    for (List<Integer> group : groups) {
      if (!group.isEmpty()) {
        double[] mean = mean(group);
        for (int dim = 0; dim < dims; dim++) {
          means[at + dim] = (float) mean[dim];
        }
        at += dims;
      }
    }
    return means;
  }

  private double[] mean(List<Integer> group) {
    double[] mean = new double[dims];
    double length = 0;
    for (int dim = 0; dim < dims; dim++) {
      for (int token : group) {
        mean[dim] += vectors[(PROTECTED + token) * dims + dim];
      }
      mean[dim] /= group.size();
      length += mean[dim] * mean[dim];
    }
    length = length > 0 ? Math.sqrt(length) : 1;
    for (int dim = 0; dim < dims; dim++) {
      mean[dim] /= length;
    }
    return mean;
  }
}
