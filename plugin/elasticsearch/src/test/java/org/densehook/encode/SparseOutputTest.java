package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;
import org.densehook.bundle.Sparse;
import org.densehook.bundle.Vocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparseOutputTest {

  private static final String WORD_PIECE =
      "{\"added_tokens\": [{\"id\": 3, \"content\": \"[CLS]\"}],"
          + " \"model\": {\"vocab\": {\"a\": 0, \"##b\": 1, \"c\": 2}}}";

  private static Manifest manifest(String precision, int terms) {
    return new Manifest(
        "splade",
        Kind.SPARSE,
        precision,
        "",
        "",
        false,
        new Sparse(terms, false),
        8,
        0,
        Map.of(),
        Map.of(),
        "",
        " ",
        List.of("input_ids", "attention_mask"),
        "embedding",
        Map.of(),
        "",
        Map.of(),
        "sha256:0",
        "sha256:0",
        "");
  }

  private static String objection(String precision, float[] found, float... expected) {
    GoldenText golden = new GoldenText(Role.DOCUMENT, "text", List.of(1L), expected, null);
    return new SparseOutput().objection(found, golden, manifest(precision, 2));
  }

  private static Vocabulary vocabulary(Path folder, String tokenizer)
      throws BundleException, IOException {
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer);
    return new Bundle(folder, null, null).vocabulary();
  }

  @Test
  void rowsAreIdsAndWeights() throws EncodeException {
    FloatBuffer output = FloatBuffer.wrap(new float[] {7, 5, 2, 1, 9, 0, 3, 0});
    float[][] rows = new SparseOutput().rows(output, 2, manifest("fp32", 2));
    assertArrayEquals(new float[] {7, 5, 2, 1}, rows[0]);
    assertArrayEquals(new float[] {9, 0, 3, 0}, rows[1]);
    FloatBuffer other = FloatBuffer.wrap(new float[6]);
    EncodeException refusal =
        assertThrows(
            EncodeException.class, () -> new SparseOutput().rows(other, 2, manifest("fp32", 2)));
    assertTrue(refusal.getMessage().contains("6 numbers for 2 texts"), refusal.getMessage());
  }

  @Test
  void weightsMustBeAsNearAsThePrecisionAsks() {
    float[] row = {7, 5, 2, 1};
    assertNull(objection("fp32", row, 7, 5, 2, 1));
    assertNull(objection("fp32", row, 5, 7, 1.0001f, 2), "in any order");
    assertEquals(
        "a weight of [text] is 0.0050 of the largest from PyTorch's, over 1.0E-4",
        objection("fp32", row, 7, 5, 2, 1.01f));
    assertNull(objection("int8", row, 7, 5, 2, 1.3f));
    assertTrue(objection("int8", row, 4, 5, 2, 1).startsWith("cosine 0.2"));
    assertTrue(objection("int8", row, new float[0]).startsWith("cosine NaN"));
    assertNull(objection("fp32", new float[4], new float[0]), "none of either");
    assertNull(objection("fp16", row, 7, 5, 2, 1.02f), "of fewer bits only the cosine counts");
  }

  @Test
  void tokensOfEveryFormAreFoundByTheirIds(@TempDir Path folder) throws Exception {
    Vocabulary words = vocabulary(folder, WORD_PIECE);
    assertEquals("##b", words.token(1));
    assertEquals("[CLS]", words.token(3));
    assertEquals(2, words.id("c"));
    assertNull(words.token(4));
    assertNull(words.id("d"));
    Vocabulary pieces =
        vocabulary(folder, "{\"model\": {\"vocab\": [[\"<s>\", 0.0], [\"▁a\", -1.5]]}}");
    assertEquals("▁a", pieces.token(1));
    for (String none : List.of("{}", "[]", "{\"model\": {\"vocab\": 3}}", "no JSON")) {
      BundleException refusal =
          assertThrows(BundleException.class, () -> vocabulary(folder, none), none);
      assertTrue(refusal.getMessage().contains("has no vocabulary"), refusal.getMessage());
    }
  }

  @Test
  void aQuerysTokensWeighWhatTheTableSays(@TempDir Path folder) throws Exception {
    Vocabulary words = vocabulary(folder, WORD_PIECE);
    Path table = folder.resolve("idf.json");
    Files.writeString(table, "{\"a\": 1, \"##b\": 2.5, \"c\": 2.5, \"elsewhere\": 9}");
    QueryTable weights = QueryTable.read(table, words, 3);
    float[] row = weights.row(new long[] {3, 2, 0, 1, 2, 3});
    assertArrayEquals(new float[] {1, 2, 0, 2.5f, 2.5f, 1}, row);
    assertArrayEquals(
        new float[] {1, 2.5f}, QueryTable.read(table, words, 1).row(new long[] {0, 2, 1}));
    assertArrayEquals(new float[6], weights.row(new long[] {3}));
    for (String none : List.of("[]", "{\"a\": -1}", "{\"a\": \"much\"}", "{\"a\": {}}")) {
      Files.writeString(table, none);
      assertThrows(BundleException.class, () -> QueryTable.read(table, words, 3), none);
    }
  }
}
