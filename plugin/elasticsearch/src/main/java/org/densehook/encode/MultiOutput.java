package org.densehook.encode;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Multi;
import org.densehook.bundle.Role;

/**
 * Float32 [batch, tokens, dims]: of a text the vectors of its tokens, one behind the other, without
 * those that are zeros, of padding and of skipped tokens.
 */
final class MultiOutput implements Output {

  @Override
  public float[][] rows(FloatBuffer output, int texts, Manifest manifest) throws EncodeException {
    int dims = manifest.part().dims();
    int numbers = texts == 0 ? 0 : output.remaining() / texts;
    if (numbers * texts != output.remaining() || numbers % dims != 0) {
      throw new EncodeException(
          EncodeException.Kind.RUN,
          "the graph gave " + output.remaining() + " numbers for " + texts + " texts");
    }
    float[][] rows = new float[texts][];
    float[] all = new float[numbers];
    for (int text = 0; text < texts; text++) {
      output.get(all);
      rows[text] = withoutZeros(all, dims);
    }
    return rows;
  }

  private static float[] withoutZeros(float[] vectors, int dims) {
    float[] kept = new float[vectors.length];
    int length = 0;
    for (int from = 0; from < vectors.length; from += dims) {
      if (!isZero(vectors, from, dims)) {
        System.arraycopy(vectors, from, kept, length, dims);
        length += dims;
      }
    }
    return Arrays.copyOf(kept, length);
  }

  private static boolean isZero(float[] vectors, int from, int dims) {
    for (int i = from; i < from + dims; i++) {
      if (vectors[i] != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int mostTokens(Role role, Manifest manifest) {
    Multi part = (Multi) manifest.part();
    int most = role == Role.QUERY ? part.queryTokens() : manifest.maxTokens();
    return part.markers().containsKey(role) ? most - 1 : most;
  }

  @Override
  public Tokens read(Tokens tokens, Role role, Manifest manifest) {
    Multi part = (Multi) manifest.part();
    if (tokens.length() == 0) {
      return tokens;
    }
    long[] marked = marked(tokens.ids(), part.markers().get(role));
    if (role != Role.QUERY) {
      boolean[] dropped = new boolean[marked.length];
      for (int place = 0; place < marked.length; place++) {
        dropped[place] = part.skippedIds().contains(marked[place]);
      }
      return tokens.reading(marked, 0, dropped);
    }
    int masks = part.expands() ? part.queryTokens() - marked.length : 0;
    long[] filled = Arrays.copyOf(marked, marked.length + masks);
    Arrays.fill(filled, marked.length, filled.length, part.maskId());
    return tokens.reading(filled, part.attendsToMasks() ? 0 : masks, new boolean[filled.length]);
  }

  /** With the marker behind the first. */
  private static long[] marked(long[] ids, Integer marker) {
    if (marker == null) {
      return ids;
    }
    long[] marked = new long[ids.length + 1];
    marked[0] = ids[0];
    marked[1] = marker;
    System.arraycopy(ids, 1, marked, 2, ids.length - 1);
    return marked;
  }

  @Override
  public String objection(float[] row, GoldenText golden, Manifest manifest) {
    int dims = manifest.part().dims();
    int count = (int) golden.vector()[0];
    if (row.length != count * dims) {
      return "["
          + SelfTest.shown(golden.text())
          + "] has "
          + row.length / dims
          + " token vectors, PyTorch gave "
          + count;
    }
    double bound = Multi.lowestCosine(manifest.precision());
    int at = 1;
    for (int place : Multi.sampledPlaces(count)) {
      double cosine = cosine(row, place * dims, golden.vector(), at, dims);
      if (!(cosine >= bound)) { // also of NaN
        return String.format(
            Locale.ROOT,
            "cosine %.6f to PyTorch's vector of a token of [%s] is under %s",
            cosine,
            SelfTest.shown(golden.text()),
            bound);
      }
      at += dims;
    }
    return null;
  }

  private static double cosine(float[] a, int from, float[] b, int at, int dims) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < dims; i++) {
      dot += (double) a[from + i] * b[at + i];
      aa += (double) a[from + i] * a[from + i];
      bb += (double) b[at + i] * b[at + i];
    }
    return dot / Math.sqrt(aa * bb);
  }
}
