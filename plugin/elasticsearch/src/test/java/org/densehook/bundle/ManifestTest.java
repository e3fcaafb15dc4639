package org.densehook.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ManifestTest {

  // written by the Python package, whose tests read it and the bad ones too
  private static final String WRITTEN = resource("manifest.json");

  private static final String VARIANT =
      WRITTEN
          .replace("\"fp32\"", "\"int8\", \"variant\": \"fused-int8\", \"batch_dependent\": true")
          .replaceAll(
              "sha256:\\w+",
              "sha256:761b6aca259186b8bdf3a5313bc5a55c98e709f8f771192e2c44c2be59b8f10e");

  private static final String OF_HEADS = resource("manifest_of_heads.json");
  private static final String OF_IMAGES = resource("manifest_of_images.json");

  private record BadManifest(String from, String to, String says) {}

  private static String resource(String name) {
    try (InputStream stream = ManifestTest.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void givesTheFingerprintThatPythonGives() throws BundleException {
    Manifest manifest = Manifest.parse(WRITTEN);
    assertEquals("Frage: „ä\n\u007f", manifest.prompts().get(Role.QUERY));
    assertEquals(4, manifest.dense().dims());
    assertEquals(List.of("input_ids", "attention_mask"), manifest.inputs());
  }

  @Test
  void aNewNameOrProofLeavesTheFingerprint() throws BundleException {
    String renamed = WRITTEN.replace("\"tiny\"", "\"other\"").replace("cccc", "dddd");
    assertEquals(Manifest.parse(WRITTEN).fingerprint(), Manifest.parse(renamed).fingerprint());
  }

  @Test
  void oneRunMayGiveSeveralKindsOfOneFingerprint() throws BundleException {
    Manifest manifest = Manifest.parse(OF_HEADS);
    assertEquals(
        List.of(Kind.DENSE, Kind.SPARSE, Kind.MULTI), List.copyOf(manifest.heads().keySet()));
    Manifest tokens = manifest.ofKind(Kind.MULTI);
    assertEquals(manifest.fingerprint(), tokens.fingerprint());
    assertEquals("token_vectors", tokens.output());
    assertEquals(16, tokens.part().dims());
    assertEquals(4, manifest.part().dims());
    assertEquals(manifest, manifest.ofKind(Kind.DENSE));
  }

  @Test
  void headsBesideAnEncoderOfImagesAreOfImages() throws BundleException {
    Manifest manifest = Manifest.parse(OF_IMAGES);
    assertEquals(Set.of(Kind.IMAGE_TEXT), manifest.kindsOfTokens());
    assertEquals(Set.of(Kind.IMAGE_TEXT, Kind.MULTI), manifest.kindsOfImages());
    assertEquals("patches", manifest.ofKind(Kind.MULTI).output());
    String sparse = OF_IMAGES.replace("\"multi\": {", "\"sparse\": {");
    BundleException refused = assertThrows(BundleException.class, () -> Manifest.parse(sparse));
    assertTrue(
        refused.getMessage().contains("also names [sparse]; beside kind [image-text] there can be"),
        refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"sparse\": {| \"cross\": {| also names [cross]; beside kind [dense] there can be",
        "\"query\": \"graph\"| \"query\": \"idf\"| also: [sparse] reads a text otherwise",
        "\"query_tokens\": 64| \"query_tokens\": 32| also: [multi] reads a text otherwise",
        "\"token_relu\"| \"softmax\"| activation is",
        "\"output\": \"weights\",| | missing [output]"
      })
  void refusesHeadsThatItCannotServe(String from, String to, String reason) {
    String changed = OF_HEADS.replace(from.strip(), to == null ? "" : to.strip());
    BundleException refused = assertThrows(BundleException.class, () -> Manifest.parse(changed));
    assertTrue(refused.getMessage().contains(reason.strip()), refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "| \"fixed_length\": false| missing [channels]",
        "\"channels\": 5,| \"fixed_length\": false| max_tokens is 16; it must be whole steps of 5",
        "\"channels\": 0,| \"fixed_length\": false| channels is [0]",
        "\"channels\": 2,| \"fixed_length\": 1| fixed_length is [1]; it must be true or false",
      })
  void refusesNumbersThatItCannotRead(String channels, String fixed, String reason) {
    String stated = "\"numbers\", " + (channels == null ? "" : channels) + fixed.strip() + ",";
    String changed = WRITTEN.replace("\"dense\",", stated).replace("\"input_ids\"", "\"numbers\"");
    BundleException refused = assertThrows(BundleException.class, () -> Manifest.parse(changed));
    assertTrue(refused.getMessage().contains(reason.strip()), refused.getMessage());
  }

  @Test
  void aPlainExportSaysNothingOfVariants() throws BundleException {
    Manifest manifest = Manifest.parse(WRITTEN);
    assertEquals("", manifest.variant());
    assertFalse(manifest.batchDependent());
  }

  @Test
  void aVariantSaysWhatItIs() throws BundleException {
    Manifest manifest = Manifest.parse(VARIANT);
    assertEquals("fused-int8", manifest.variant());
    assertTrue(manifest.batchDependent());
    assertEquals("int8", manifest.precision());
  }

  @Test
  void theNameOfAVariantLeavesTheFingerprint() throws BundleException {
    String unnamed = VARIANT.replace("\"variant\": \"fused-int8\",", "");
    assertEquals(Manifest.parse(VARIANT).fingerprint(), Manifest.parse(unnamed).fingerprint());
  }

  @Test
  void sayingThatThereIsNothingToSayLeavesTheFingerprint() throws BundleException {
    String stated = WRITTEN.replace("\"fp32\"", "\"fp32\", \"batch_dependent\": false");
    assertEquals(Manifest.parse(WRITTEN).fingerprint(), Manifest.parse(stated).fingerprint());
  }

  @Test
  void batchDependenceIsPartOfTheFingerprint() {
    String independent = VARIANT.replace(", \"batch_dependent\": true", "");
    Exception refusal = assertThrows(BundleException.class, () -> Manifest.parse(independent));
    assertTrue(refusal.getMessage().contains("was changed after the export"));
  }

  @ParameterizedTest
  @CsvSource({"fp32,0.99999", "fp16,0.9999", "int8,0.95", "int4,0.85"})
  void eachPrecisionHasItsBound(String precision, double bound) throws BundleException {
    String changed = WRITTEN.replace("\"fp32\"", '"' + precision + '"');
    Manifest manifest = Manifest.parse(withOwnFingerprint(changed));
    assertEquals(bound, Dense.lowestCosine(manifest.precision()));
  }

  @Test
  void aGraphWithoutAMaskKnowsNoPadding() throws BundleException {
    assertTrue(Manifest.parse(WRITTEN).knowsPadding());
    String unmasked = WRITTEN.replaceFirst(",\\s+\"attention_mask\"", "");
    assertFalse(Manifest.parse(withOwnFingerprint(unmasked)).knowsPadding());
  }

  @Test
  void aPromptMayBeLeftOutOfThePooling() throws BundleException {
    assertEquals(Map.of(), Manifest.parse(WRITTEN).unpooled());
    String stated =
        WRITTEN
            .replace("\"attention_mask\"", "\"attention_mask\", \"pooling_mask\"")
            .replace("\"joiner\"", "\"unpooled\": {\"query\": 7, \"document\": 0}, \"joiner\"");
    Manifest manifest = Manifest.parse(withOwnFingerprint(stated));
    assertEquals(Map.of(Role.QUERY, 7, Role.DOCUMENT, 0), manifest.unpooled());
    assertNotEquals(Manifest.parse(WRITTEN).fingerprint(), manifest.fingerprint());
  }

  /** A wrong fingerprint is refused with the right one. */
  private static String withOwnFingerprint(String changed) {
    String wrong = changed.replaceFirst("sha256:\\w+", "sha256:00");
    Exception refusal = assertThrows(BundleException.class, () -> Manifest.parse(wrong));
    String own = refusal.getMessage().replaceFirst(".*gives (sha256:\\w+);.*", "$1");
    return wrong.replace("sha256:00", own);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"dims\": 4       | \"dims\": 5        | was changed after the export",
        "\"format\": 1     | \"format\": 2      | this plugin reads 1",
        "\"dense\"         | \"smells\"         | kind is [smells]; this plugin knows dense, ",
        "\"fp32\"          | \"fp8\"            | precision is [fp8]; it must be one of fp16, fp32, i",
        "\"dims\": 4       | \"dims\": 0        | dims is [0]; it must be a positive number",
        "\"dims\": 4       | \"dims\": 4, \"batch_dependent\": 1     | must be true or false",
        "\"dims\": 4       | \"dims\": 4, \"batch_dependent\": true  | was changed after the export",
        "\"pad_id\": 0,    | ''                 | missing [pad_id]",
        "\"pad_id\": 0,    | \"pad_id\": 0, \"a\": 1, | unknown [a]",
        "\"document\": \"\" | \"doc\": \"\"     | prompts has not the keys it must have: missing [document], unknown [doc]",
      })
  void refusesWhatItCannotServe(String from, String to, String reason) {
    String changed = WRITTEN.replace(from, to);
    Exception refusal = assertThrows(BundleException.class, () -> Manifest.parse(changed));
    assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
  }

  private static List<BadManifest> badManifests() {
    Type list = new TypeToken<List<BadManifest>>() {}.getType();
    return new Gson().fromJson(resource("bad-manifests.json"), list);
  }

  @ParameterizedTest
  @MethodSource("badManifests")
  void refusesInOneLineThatNamesItWhatBothLanguagesMustRefuse(BadManifest bad) {
    String text = bad.from == null ? bad.to : WRITTEN.replace(bad.from, bad.to);
    String said = assertThrows(BundleException.class, () -> Manifest.parse(text)).getMessage();
    assertTrue(said.contains(bad.says), said);
    assertFalse(said.contains("\n"), said);
    assertTrue(said.length() < 400, said);
  }

  @ParameterizedTest
  @CsvSource({"''", "[]", "{", "{}", "nonsense"})
  void refusesWhatIsNoManifest(String text) {
    assertThrows(BundleException.class, () -> Manifest.parse(text));
  }

  @Test
  void joinsTheFieldsThatAreNotEmpty() throws BundleException {
    assertEquals("a b", Manifest.parse(WRITTEN).join(List.of("a", "", "b")));
  }
}
