package org.densehook.encode;

import java.nio.FloatBuffer;
import java.util.Locale;
import org.densehook.bundle.Cross;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Manifest;

/** Float32 [batch, 1], one score a pair, as near to PyTorch's as the precision says. */
final class CrossOutput implements Output {

  @Override
  public float[][] rows(FloatBuffer output, int texts, Manifest manifest) throws EncodeException {
    if (output.remaining() != texts) {
      throw new EncodeException(
          EncodeException.Kind.RUN,
          "the graph gave " + output.remaining() + " numbers for " + texts + " pairs");
    }
    float[][] rows = new float[texts][1];
    for (float[] row : rows) {
      output.get(row);
    }
    return rows;
  }

  @Override
  public String objection(float[] row, GoldenText golden, Manifest manifest) {
    double bound = ((Cross) manifest.part()).bound(manifest.precision());
    float expected = golden.vector()[0];
    if (Math.abs(row[0] - expected) <= bound) {
      return null;
    }
    return String.format( // also of NaN
        Locale.ROOT,
        "score %.6f of [%s] for [%s] is not PyTorch's %.6f, within %s for %s",
        row[0],
        SelfTest.shown(golden.text()),
        SelfTest.shown(golden.query()),
        expected,
        bound,
        manifest.precision());
  }
}
