package org.densehook.multivector;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Fewer token vectors: those that are alike become their mean. Clavié, Chaffin and Adams 2024, by
 * Ward's criterion; as the Python package does it.
 */
public final class Pooling {

  /**
   * The most tokens that are compared with each other, since every pair of them has a distance. So
   * a text of any length takes 8 MB, and time by its length alone. A longer one is cut into as many
   * windows as that takes, of one size, each of which gives its share of the vectors.
   */
  static final int WINDOW = 1024;

  /** The first token's vector stays as it is: it stands for the text as a whole. */
  private static final int PROTECTED = 1;

  private final float[] vectors;
  private final int dims;
  private final int first;
  private final int tokens;
  private final double[][] distances;
  private final double[] sizes;
  private final List<List<Integer>> groups = new ArrayList<>();

  // of each group the nearest one, the first of several, and how near that is
  private final int[] nearest;
  private final double[] least;

  /** The tokens of a window, which begins at the vector {@code first}. */
  private Pooling(float[] vectors, int dims, int first, int tokens) {
    this.vectors = vectors;
    this.dims = dims;
    this.first = first;
    this.tokens = tokens;
    distances = new double[tokens][tokens];
    sizes = new double[tokens];
    nearest = new int[tokens];
    least = new double[tokens];
    Arrays.fill(sizes, 1);
    for (int one = 0; one < tokens; one++) {
      groups.add(new ArrayList<>(List.of(first + one)));
      for (int other = 0; other < one; other++) {
        distances[one][other] = Math.max(2 - 2 * product(one, other), 0);
        distances[other][one] = distances[one][other];
      }
      distances[one][one] = Double.POSITIVE_INFINITY;
    }
    for (int one = 0; one < tokens; one++) {
      lookForNearest(one);
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
    float[] means = Arrays.copyOf(vectors, (PROTECTED + wanted) * dims);
    int at = PROTECTED * dims;
    int windows = (tokens + WINDOW - 1) / WINDOW;
    for (int window = 0; window < windows; window++) {
      long start = (long) tokens * window / windows;
      long end = (long) tokens * (window + 1) / windows;
      long share = wanted * end / tokens - wanted * start / tokens;
      Pooling pooling = new Pooling(vectors, dims, (int) (PROTECTED + start), (int) (end - start));
      for (long left = end - start; left > share; left--) {
        pooling.mergeNearest();
      }
      at = pooling.putMeans(means, at);
    }
    return means;
  }

  private double product(int one, int other) {
    int a = (first + one) * dims;
    int b = (first + other) * dims;
    double sum = 0;
    for (int dim = 0; dim < dims; dim++) {
      sum += (double) vectors[a + dim] * vectors[b + dim];
    }
    return sum;
  }

  private void lookForNearest(int one) {
    double[] row = distances[one];
    int found = 0;
    for (int other = 1; other < tokens; other++) {
      if (row[other] < row[found]) {
        found = other;
      }
    }
    nearest[one] = found;
    least[one] = row[found];
  }

  /**
   * Merges the two groups that are nearest, the first two of several. The nearest one of each group
   * is looked for again only where that was merged: so it takes time by the tokens, not by their
   * pairs.
   */
  private void mergeNearest() {
    int one = 0;
    for (int row = 1; row < tokens; row++) {
      if (least[row] < least[one]) {
        one = row;
      }
    }
    int other = nearest[one]; // one < other: distances are symmetric
    double apart = least[one];
    for (int third = 0; third < tokens; third++) { // Lance and Williams 1967
      double merged =
          ((sizes[one] + sizes[third]) * distances[one][third]
                  + (sizes[other] + sizes[third]) * distances[other][third]
                  - sizes[third] * apart)
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
    least[other] = Double.POSITIVE_INFINITY;
    for (int third = 0; third < tokens; third++) {
      if (!groups.get(third).isEmpty()) {
        compareWithMerged(third, one, other);
      }
    }
  }

  /** Brings up to date which group is nearest to one, after two of the others were merged. */
  private void compareWithMerged(int group, int merged, int gone) {
    double apart = distances[group][merged];
    if (apart < least[group] || apart == least[group] && merged < nearest[group]) {
      nearest[group] = merged;
      least[group] = apart;
    } else if (nearest[group] == merged || nearest[group] == gone) {
      lookForNearest(group);
    }
  }

  /** Writes the mean of each group from a place on; gives the place behind the last. */
  private int putMeans(float[] means, int from) {
    int at = from;
    for (List<Integer> group : groups) {
      if (!group.isEmpty()) {
        double[] mean = mean(group);
        for (int dim = 0; dim < dims; dim++) {
          means[at + dim] = (float) mean[dim];
        }
        at += dims;
      }
    }
    return at;
  }

  private double[] mean(List<Integer> group) {
    double[] mean = new double[dims];
    double length = 0;
    for (int dim = 0; dim < dims; dim++) {
      for (int token : group) {
        mean[dim] += vectors[token * dims + dim];
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
