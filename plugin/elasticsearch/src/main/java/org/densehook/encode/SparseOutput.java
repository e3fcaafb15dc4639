package org.densehook.encode;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Sparse;

/** Float32 [batch, 2, terms], as near to PyTorch's weights as the precision says. */
final class SparseOutput implements Output {

  @Override
  public float[][] rows(FloatBuffer output, int texts, Manifest manifest) throws EncodeException {
    int length = length(manifest);
    if (output.remaining() != texts * length) {
      throw new EncodeException(
          EncodeException.Kind.RUN,
          "the graph gave " + output.remaining() + " numbers for " + texts + " texts");
    }
    float[][] rows = new float[texts][length];
    for (float[] row : rows) {
      output.get(row);
    }
    return rows;
  }

  @Override
  public int length(Manifest manifest) {
    return 2 * terms(manifest);
  }

  @Override
  public String objection(float[] row, GoldenText golden, Manifest manifest) {
    Map<Integer, Float> found = weights(row);
    Map<Integer, Float> expected = weights(golden.vector());
    double lowest = Sparse.lowestCosine(manifest.precision());
    double cosine = cosine(found, expected);
    if (!(cosine >= lowest)) { // also of NaN
      return String.format(
          Locale.ROOT,
          "cosine %.6f to PyTorch's weights of [%s] is under %s",
          cosine,
          SelfTest.shown(golden.text()),
          lowest);
    }
    double most = Sparse.mostDifference(manifest.precision());
    double apart = difference(found, expected, terms(manifest));
    return apart <= most
        ? null
        : String.format(
            Locale.ROOT,
            "a weight of [%s] is %.2g of the largest from PyTorch's, over %s",
            SelfTest.shown(golden.text()),
            apart,
            most);
  }

  private static int terms(Manifest manifest) {
    return ((Sparse) manifest.part()).maxTerms();
  }

  private static Map<Integer, Float> weights(float[] row) {
    Map<Integer, Float> weights = new HashMap<>();
    for (int i = 0; i < row.length / 2 && row[row.length / 2 + i] > 0; i++) {
      weights.put((int) row[i], row[row.length / 2 + i]);
    }
    return weights;
  }

  private static double dot(Map<Integer, Float> a, Map<Integer, Float> b) {
    double sum = 0;
    for (Map.Entry<Integer, Float> each : a.entrySet()) {
      sum += (double) each.getValue() * b.getOrDefault(each.getKey(), 0f);
    }
    return sum;
  }

  /** Of their angle; 1 where neither has a term. */
  private static double cosine(Map<Integer, Float> a, Map<Integer, Float> b) {
    return a.isEmpty() && b.isEmpty() ? 1 : dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }

  /**
   * The largest difference of two weights of a token, in parts of the largest that is expected. Of
   * {@code most} terms the last are cut off: a token that one of the two lacks is as far from it as
   * its weight is from the least there.
   */
  private static double difference(
      Map<Integer, Float> found, Map<Integer, Float> expected, int most) {
    double apart = Math.max(apart(found, expected, most), apart(expected, found, most));
    double largest = expected.values().stream().mapToDouble(Float::doubleValue).max().orElse(1);
    return apart / largest;
  }

  private static double apart(Map<Integer, Float> here, Map<Integer, Float> there, int most) {
    double cut =
        there.size() < most
            ? 0
            : there.values().stream().mapToDouble(Float::doubleValue).min().orElse(0);
    double apart = 0;
    for (Map.Entry<Integer, Float> each : here.entrySet()) {
      Float known = there.get(each.getKey());
      double weight = each.getValue();
      apart = Math.max(apart, known == null ? weight - cut : Math.abs(weight - known));
    }
    return apart;
  }
}
