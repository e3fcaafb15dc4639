package org.densehook.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same chunks as densehook.chunk in Python; refusals. */
final class CutterTest {

  private static final Cutter.Sizes SIZES =
      texts ->
          texts.stream()
              .mapToInt(text -> 2 + (int) text.codePoints().filter(c -> c > ' ').count() / 3)
              .toArray();

  /** Cases that the Python tests write and hold Python to (tests/unit/test_chunk.py). */
  static Stream<JsonObject> cases() throws Exception {
    try (Reader reader =
        new InputStreamReader(
            CutterTest.class.getResourceAsStream("cases.json"), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonArray().asList().stream()
          .map(JsonElement::getAsJsonObject);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aTextIsCutAsPythonCutsIt(JsonObject stored) throws Exception {
    String text = stored.get("text").getAsString();
    JsonObject stated = stored.getAsJsonObject("rule");
    ChunkRule rule =
        ChunkRule.parse(
            Map.of(
                "by", stated.get("by").getAsString(),
                "max_tokens", stated.get("max_tokens").getAsInt(),
                "overlap", stated.get("overlap").getAsInt(),
                "max_chunks", stated.get("max_chunks").getAsInt()));
    JsonElement chunks = stored.get("chunks");
    if (chunks.isJsonNull()) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> Cutter.cut(text, rule, SIZES));
      assertTrue(refused.getMessage().contains("more than " + rule.maxChunks() + " chunks"));
      return;
    }
    List<List<Integer>> expected =
        chunks.getAsJsonArray().asList().stream()
            .map(JsonElement::getAsJsonArray)
            .map(span -> List.of(span.get(0).getAsInt(), span.get(1).getAsInt()))
            .toList();
    List<List<Integer>> cut =
        Cutter.cut(text, rule, SIZES).stream().map(c -> List.of(c.start(), c.end())).toList();
    assertEquals(expected, cut);
  }

  @Test
  void aChunkIsReadWithoutTheSpacesAroundIt() throws Exception {
    List<Chunk> chunks = Cutter.cut("  One. \n Two.\n", new ChunkRule("sentence", 64, 0, 9), SIZES);
    assertEquals(List.of(new Chunk(0, 14, "One. \n Two.")), chunks);
    assertEquals(List.of(), Cutter.cut("", new ChunkRule("tokens", 64, 0, 9), SIZES));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5",
        "{'by': 'page'}",
        "{'size': 5}",
        "{'max_tokens': 4}",
        "{'max_tokens': 20.5}",
        "{'max_tokens': 20, 'overlap': 11}",
        "{'max_chunks': 0}"
      })
  void aRuleThatCannotBeIsRefused(String stated) {
    Gson json =
        new GsonBuilder()
            .setStrictness(Strictness.LENIENT)
            .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
            .create();
    Object rule = json.fromJson(stated, Object.class);
    String message =
        assertThrows(IllegalArgumentException.class, () -> ChunkRule.parse(rule)).getMessage();
    assertTrue(message.startsWith("chunk"), message);
  }

  @Test
  void aRuleIsHeldToWhatTheEncoderReads() {
    ChunkRule rule = new ChunkRule("tokens", 100, 20, 7);
    assertEquals(
        rule,
        ChunkRule.parse(Map.of("by", "tokens", "max_tokens", 100, "overlap", 20, "max_chunks", 7)));
    assertEquals(rule, rule.within(512));
    assertEquals(new ChunkRule("tokens", 30, 15, 7), rule.within(30));
    assertEquals(new ChunkRule("sentence", 256, 0, 512), ChunkRule.parse(Map.of()));
  }
}
