package org.densehook.encode;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.GoldenText;

/** A bundle goes into service only when it gives its own golden token ids and vectors. */
public final class SelfTest {

  private SelfTest() {}

  /**
   * Encodes golden.json.
   *
   * @throws BundleException at a token id or a vector that is not PyTorch's
   */
  public static void run(EncoderRuntime encoder, Bundle bundle)
      throws BundleException, IOException {
    List<GoldenText> golden = bundle.golden();
    List<Tokens> tokens = new ArrayList<>();
    try {
      for (GoldenText text : golden) {
        tokens.add(tokens(encoder, text));
      }
      int[] lengths = tokens.stream().mapToInt(Tokens::length).toArray();
      for (List<Integer> run :
          Packing.pack(lengths, LaneLimits.TOKENS_PER_RUN, encoder.maxPadding())) {
        float[][] vectors = encoder.run(run.stream().map(tokens::get).toList());
        for (int i = 0; i < vectors.length; i++) {
          compare(golden.get(run.get(i)), vectors[i], encoder.manifest().precisionBound());
        }
      }
    } catch (EncodeException e) {
      throw new BundleException("the self-test fails: " + e.getMessage());
    }
  }

  private static Tokens tokens(EncoderRuntime encoder, GoldenText text)
      throws BundleException, EncodeException {
    Tokens tokens = encoder.tokenize(text.text(), text.role());
    long[] stated = text.ids().stream().mapToLong(Long::longValue).toArray();
    if (!Arrays.equals(tokens.ids(), stated)) {
      throw new BundleException(
          "the self-test fails: the tokenizer gives "
              + shown(tokens.ids())
              + " for ["
              + shown(text.text())
              + "], PyTorch's gave "
              + shown(stated)
              + "; export the bundle again");
    }
    return tokens;
  }

  private static void compare(GoldenText text, float[] vector, double bound)
      throws BundleException {
    double cosine = cosine(vector, text.vector());
    if (!(cosine >= bound)) { // NaN must fail too
      throw new BundleException(
          String.format(
              Locale.ROOT,
              "the self-test fails: cosine %.6f to PyTorch's vector of [%s] is under %s;"
                  + " export the bundle again",
              cosine,
              shown(text.text()),
              bound));
    }
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
    return dot / Math.sqrt(aa * bb);
  }

  private static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  private static String shown(long[] ids) {
    return ids.length > 8
        ? Arrays.toString(Arrays.copyOf(ids, 8)) + " of " + ids.length
        : Arrays.toString(ids);
  }
}
