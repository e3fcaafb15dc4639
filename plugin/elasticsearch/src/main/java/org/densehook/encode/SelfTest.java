package org.densehook.encode;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.GoldenImage;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;
import org.densehook.image.ImageLimits;

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
    Map<Kind, List<GoldenText>> golden = new EnumMap<>(Kind.class);
    for (Kind kind : bundle.manifest().kindsOfTokens()) {
      golden.put(kind, bundle.golden(kind));
    }
    for (Role role : Role.values()) {
      EncoderRuntime tower = encoder.tower(role);
      Map<Kind, List<GoldenText>> own = new EnumMap<>(Kind.class);
      golden.forEach(
          (kind, texts) ->
              own.put(
                  tower == encoder ? kind : tower.manifest().kind(), // which may be another
                  texts.stream().filter(text -> text.role() == role).toList()));
      run(tower, own);
    }
    Map<Kind, List<GoldenImage>> images = new EnumMap<>(Kind.class);
    for (Kind kind : bundle.manifest().kindsOfImages()) {
      images.put(kind, bundle.goldenImages(kind));
    }
    if (!images.isEmpty()) {
      runImages(encoder, images);
    }
  }

  /**
   * Encodes images, each once.
   *
   * @param golden the same images for each kind, with what it gives for them
   */
  private static void runImages(EncoderRuntime encoder, Map<Kind, List<GoldenImage>> golden)
      throws BundleException {
    Set<Kind> kinds = golden.keySet();
    List<GoldenImage> images = golden.get(encoder.manifest().kind());
    try {
      for (int i = 0; i < images.size(); i++) {
        Tokens read = encoder.readImage(images.get(i).image(), ImageLimits.DEFAULT);
        float[] joined = encoder.run(List.of(encoder.giving(kinds, read)))[0];
        for (Kind kind : kinds) {
          float[] expected = golden.get(kind).get(i).vector();
          compare(
              new GoldenText(Role.DOCUMENT, "image " + i, List.of(), expected, null),
              encoder.row(kind, kinds, joined),
              encoder.manifest().ofKind(kind));
        }
      }
    } catch (EncodeException e) {
      throw new BundleException("the self-test fails: " + e.getMessage());
    }
  }

  /**
   * Encodes texts once.
   *
   * @param golden the same texts for each kind, with what it gives for them
   */
  private static void run(EncoderRuntime encoder, Map<Kind, List<GoldenText>> golden)
      throws BundleException {
    List<Tokens> tokens = new ArrayList<>();
    Set<Kind> kinds = golden.keySet();
    try {
      for (GoldenText text : golden.get(encoder.manifest().kind())) {
        tokens.add(encoder.giving(kinds, tokens(encoder, text)));
      }
      int[] lengths = tokens.stream().mapToInt(Tokens::length).toArray();
      for (List<Integer> run :
          Packing.pack(lengths, LaneLimits.TOKENS_PER_RUN, encoder.maxPadding())) {
        float[][] rows = encoder.run(run.stream().map(tokens::get).toList());
        for (int i = 0; i < rows.length; i++) {
          for (Kind kind : kinds) {
            float[] row = encoder.row(kind, kinds, rows[i]);
            compare(golden.get(kind).get(run.get(i)), row, encoder.manifest().ofKind(kind));
          }
        }
      }
    } catch (EncodeException e) {
      throw new BundleException("the self-test fails: " + e.getMessage());
    }
  }

  private static Tokens tokens(EncoderRuntime encoder, GoldenText text)
      throws BundleException, EncodeException {
    Tokens tokens = encoder.tokenize(text);
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

  private static void compare(GoldenText golden, float[] row, Manifest manifest)
      throws BundleException {
    String objection = Output.BY_KIND.get(manifest.kind()).objection(row, golden, manifest);
    if (objection != null) {
      throw new BundleException("the self-test fails: " + objection + "; export the bundle again");
    }
  }

  static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  private static String shown(long[] ids) {
    return ids.length > 8
        ? Arrays.toString(Arrays.copyOf(ids, 8)) + " of " + ids.length
        : Arrays.toString(ids);
  }
}
