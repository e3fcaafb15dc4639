package org.densehook.encode;

import java.nio.FloatBuffer;
import java.util.Locale;
import org.densehook.bundle.Dense;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Manifest;

/** Float32 [batch, dims], as near to PyTorch's as the precision's cosine says. */
final class DenseOutput implements Output {

  @Override
  public float[][] rows(FloatBuffer output, int texts, Manifest manifest) throws EncodeException {
    int dims = manifest.dense().dims();
    if (output.remaining() != texts * dims) {
      throw new EncodeException(
          EncodeException.Kind.RUN,
          "the graph gave " + output.remaining() + " numbers for " + texts + " texts");
    }
    float[][] rows = new float[texts][dims];
    for (float[] row : rows) {
      output.get(row);
    }
    return rows;
  }

  @Override
  public int length(Manifest manifest) {
    return manifest.dense().dims();
  }

  @Override
  public String objection(float[] row, GoldenText golden, Manifest manifest) {
    double bound = Dense.lowestCosine(manifest.precision());
    double cosine = cosine(row, golden.vector());
    if (cosine >= bound) {
      return null;
    }
    return String.format( // also of NaN
        Locale.ROOT,
        "cosine %.6f to PyTorch's vector of [%s] is under %s",
        cosine,
        SelfTest.shown(golden.text()),
        bound);
  }

  private static double cosine(float[] a, float[] b) {
    if (a.length != b.length) {
      return Double.NaN;
    }
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return aa == 0 && bb == 0 ? 1 : dot / Math.sqrt(aa * bb);
  }
}
