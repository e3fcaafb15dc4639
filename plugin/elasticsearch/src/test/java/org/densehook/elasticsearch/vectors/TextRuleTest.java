package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.LongText;
import org.densehook.elasticsearch.service.KnownEncoder;
import org.elasticsearch.common.bytes.BytesArray;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same texts as densehook.hooks in Python. */
final class TextRuleTest {

  private static final KnownEncoder ENCODER = new KnownEncoder("e", "sha256:e", 2);

  static Stream<JsonObject> texts() throws Exception {
    return cases("texts");
  }

  static Stream<JsonObject> refused() throws Exception {
    return cases("refused");
  }

  static Stream<JsonObject> given() throws Exception {
    return cases("given");
  }

  /** Cases that Python is held to as well (tests/unit/test_document_text.py). */
  private static Stream<JsonObject> cases(String kind) throws Exception {
    try (Reader reader =
        new InputStreamReader(
            TextRuleTest.class.getResourceAsStream("texts.json"), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonObject().getAsJsonArray(kind).asList().stream()
          .map(JsonElement::getAsJsonObject);
    }
  }

  private static IndexVectors mapping(JsonObject stored) {
    JsonObject entry = stored.getAsJsonObject("entry").deepCopy();
    entry.addProperty("encoder", "e");
    entry.addProperty("fingerprint", "sha256:e");
    JsonObject mapping = new JsonObject();
    mapping.add("properties", stored.get("properties"));
    mapping.add("_meta", in("densehook", in("fields", in("v", entry))));
    return new IndexVectors(
        XContentHelper.convertToMap(bytes(mapping), true, XContentType.JSON).v2(), false);
  }

  private static JsonObject in(String key, JsonElement value) {
    JsonObject object = new JsonObject();
    object.add(key, value);
    return object;
  }

  private static BytesArray bytes(JsonObject json) {
    return new BytesArray(json.toString());
  }

  private static List<String> strings(JsonArray array) {
    return array.asList().stream().map(JsonElement::getAsString).toList();
  }

  @ParameterizedTest
  @MethodSource("texts")
  void aDocumentHasTheTextThatItHasInPython(JsonObject stored) throws Exception {
    TextRule rule = mapping(stored).fields().get("v").text();
    JsonElement paths = stored.get("paths");
    JsonElement inputs = stored.getAsJsonObject("entry").get("input");
    assertEquals(strings((paths == null ? inputs : paths).getAsJsonArray()), rule.paths());
    Map<String, Object> document =
        DocumentSource.part(
            bytes(stored.getAsJsonObject("document")), XContentType.JSON, rule.paths());
    if (stored.get("text").isJsonNull()) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> rule.text(document, ENCODER::join));
      assertEquals("input field [n] is an object, not text", refused.getMessage());
    } else {
      JsonElement prompt = stored.get("prompt");
      assertEquals(stored.get("text").getAsString(), rule.text(document, ENCODER::join));
      assertEquals(prompt == null ? null : prompt.getAsString(), rule.prompt(document));
    }
  }

  @ParameterizedTest
  @MethodSource("given")
  void whatIsGivenHasTheItemsThatItHasInPython(JsonObject stored) throws Exception {
    TextRule rule = TextRule.joining(strings(stored.getAsJsonArray("input")));
    ChunkRule chunk = ChunkRule.parse(Map.of("by", "given"));
    EmbeddedField field =
        new EmbeddedField(
            "p.v", rule, "e", "sha256:e", FieldFormat.ofType("dense_vector"), false, chunk, null);
    Map<String, Object> document =
        DocumentSource.part(
            bytes(stored.getAsJsonObject("document")), XContentType.JSON, rule.paths());
    LongText text = new FieldText(field, ENCODER).of(document).text();
    List<List<Object>> items = new ArrayList<>();
    for (int i = 0; i < text.parts().size(); i++) {
      LongText.Part part = text.parts().get(i);
      boolean isLast = i + 1 == text.parts().size();
      int end = isLast ? text.text().length() : text.parts().get(i + 1).start() - 1;
      items.add(List.of(part.name(), text.text().substring(part.start(), end)));
    }
    List<List<Object>> expected = new ArrayList<>();
    for (JsonElement item : stored.getAsJsonArray("items")) {
      JsonArray pair = item.getAsJsonArray();
      expected.add(List.of(pair.get(0).getAsInt(), pair.get(1).getAsString()));
    }
    assertEquals(expected, items);
    assertEquals(text.text(), JoinedInputs.of(field, ENCODER, document).text());
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatCannotBeIsRefusedAndItsFieldPassedOver(JsonObject stored) {
    Map<String, Object> entry =
        XContentHelper.convertToMap(bytes(stored.getAsJsonObject("entry")), true, XContentType.JSON)
            .v2();
    List<String> inputs = strings(stored.getAsJsonObject("entry").getAsJsonArray("input"));
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> {
              if (entry.containsKey("template")) {
                TextTemplate.parse(entry.get("template"), inputs);
              }
              DocumentPrompts.parse(entry.get("prompt"));
            });
    assertTrue(refused.getMessage().matches("(?s)(template|prompt)[ .].*"), refused.getMessage());
    assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
    assertTrue(mapping(stored).fields().isEmpty());
  }
}
