package org.densehook.multivector;

import java.util.Arrays;

/**
 * How well documents' tokens answer those of a query: the sum, over the query's tokens, of the best
 * inner product among the document's. Khattab and Zaharia 2020, eq. 3. For one thread.
 *
 * <p>The innermost loop goes over the document's tokens, in arrays of their own for each dim: of
 * such a loop every compiler since Java 17 makes vector instructions, of a sum over dims none does.
 */
public final class MaxSim {

  private static final int DIMS_AT_ONCE = 4;

  private final float[] query;
  private final int dims;
  private final Planes planes = new Planes();
  private float[] sums = new float[0];

  /**
   * Scores for a query.
   *
   * @param query float32 [tokens, dims], one behind the other
   */
  public MaxSim(float[] query, int dims) {
    this.query = query;
    this.dims = dims;
  }

  /** How many token vectors the document has that was scored last. */
  public int tokens() {
    return planes.tokens;
  }

  /**
   * A document's score, 0 or more, as Elasticsearch has no others.
   *
   * @throws IllegalArgumentException for bytes that are no token vectors, or of other dims
   */
  public float score(byte[] bytes, int offset, int length) {
    planes.read(bytes, offset, length);
    if (planes.dims != dims) {
      throw new IllegalArgumentException(
          "token vectors have " + planes.dims + " dims, those of the query " + dims);
    }
    if (planes.tokens == 0) {
      return 0;
    }
    sums = sums.length < planes.tokens ? new float[planes.tokens] : sums;
    double score = 0;
    for (int first = 0; first < query.length; first += dims) {
      products(first);
      score += best() + (planes.centred ? ofMean(first) : 0);
    }
    return (float) Math.max(0, score);
  }

  /** The inner products of a query's token with the numbers of each of the document's. */
  private void products(int first) {
    int tokens = planes.tokens;
    Arrays.fill(sums, 0, tokens, 0);
    int dim = 0;
    for (; dim + DIMS_AT_ONCE <= dims; dim += DIMS_AT_ONCE) {
      addFour(sums, planes.rows, dim, query, first + dim, tokens);
    }
    for (; dim < dims; dim++) {
      addOne(sums, planes.rows[dim], query[first + dim], tokens);
    }
  }

  private static void addFour(
      float[] sums, float[][] rows, int dim, float[] query, int at, int tokens) {
    float[] first = rows[dim];
    float[] second = rows[dim + 1];
    float[] third = rows[dim + 2];
    float[] fourth = rows[dim + 3];
    float a = query[at];
    float b = query[at + 1];
    float c = query[at + 2];
    float d = query[at + 3];
    for (int token = 0; token < tokens; token++) {
      sums[token] += a * first[token] + b * second[token] + c * third[token] + d * fourth[token];
    }
  }

  private static void addOne(float[] sums, float[] row, float by, int tokens) {
    for (int token = 0; token < tokens; token++) {
      sums[token] += by * row[token];
    }
  }

  private float best() {
    if (planes.scaled) {
      for (int token = 0; token < planes.tokens; token++) {
        sums[token] *= planes.scales[token];
      }
    }
    float best = sums[0];
    for (int token = 1; token < planes.tokens; token++) {
      if (sums[token] > best) {
        best = sums[token];
      }
    }
    return best;
  }

  private double ofMean(int first) {
    double sum = 0;
    for (int dim = 0; dim < dims; dim++) {
      sum += (double) query[first + dim] * planes.mean[dim];
    }
    return sum;
  }
}
