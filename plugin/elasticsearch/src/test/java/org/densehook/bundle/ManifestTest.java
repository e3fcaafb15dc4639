package org.densehook.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {

  // written by the Python package, fingerprint included
  private static final String WRITTEN =
      """
      {
        "format": 1,
        "name": "tiny",
        "kind": "dense",
        "precision": "fp32",
        "dims": 4,
        "similarity": "dot_product",
        "pooling": "mean",
        "normalise": true,
        "max_tokens": 16,
        "pad_id": 0,
        "prompts": {
          "query": "Frage: \\u201e\\u00e4\\n\\u007f",
          "document": ""
        },
        "joiner": " ",
        "inputs": ["input_ids", "attention_mask"],
        "output": "embedding",
        "source": {"repository": "r", "location": "l", "revision": "1", "license": "mit"},
        "files": {"model.onnx": "aa", "tokenizer.json": "bb", "golden.json": "cc"},
        "fingerprint": "sha256:702eb76b3a19a53c2823d36a4d20e440ac74cecefaf1358d464188809b5f63e2"
      }
      """;

  @Test
  void givesTheFingerprintThatPythonGives() throws BundleException {
    Manifest manifest = Manifest.parse(WRITTEN);
    assertEquals("Frage: „ä\n\u007f", manifest.prompts().get(Role.QUERY));
    assertEquals(4, manifest.dims());
    assertEquals(List.of("input_ids", "attention_mask"), manifest.inputs());
  }

  @Test
  void aNewNameOrProofLeavesTheFingerprint() throws BundleException {
    String renamed = WRITTEN.replace("\"tiny\"", "\"other\"").replace("\"cc\"", "\"dd\"");
    assertEquals(Manifest.parse(WRITTEN).fingerprint(), Manifest.parse(renamed).fingerprint());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"dims\": 4       | \"dims\": 5        | was changed after the export",
        "\"bb\"            | \"b0\"             | was changed after the export",
        "\"format\": 1     | \"format\": 2      | this plugin reads 1",
        "\"dense\"         | \"sparse\"         | kind is [sparse]; known: [dense]",
        "\"fp32\"          | \"fp8\"            | precision is [fp8]",
        "\"dims\": 4       | \"dims\": 0        | must be a positive number",
        "\"pad_id\": 0,    | ''                 | missing [pad_id]",
        "\"pad_id\": 0,    | \"pad_id\": 0, \"a\": 1, | unknown [a]",
        "\"document\": \"\" | \"doc\": \"\"     | prompts has none for [document]",
      })
  void refusesWhatItCannotServe(String from, String to, String reason) {
    String changed = WRITTEN.replace(from, to);
    Exception refusal = assertThrows(BundleException.class, () -> Manifest.parse(changed));
    assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
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
