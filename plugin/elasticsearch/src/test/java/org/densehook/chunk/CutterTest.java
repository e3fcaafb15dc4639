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
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same chunks as densehook.chunk in Python; refusals. */
final class CutterTest {

  private static final int WINDOW = 64;

  // whole numbers as Elasticsearch reads them
  private static final Gson GSON =
      new GsonBuilder()
          .setStrictness(Strictness.LENIENT)
          .setObjectToNumberStrategy(
              in -> {
                Number number = ToNumberPolicy.LONG_OR_DOUBLE.readNumber(in);
                return number instanceof Long whole ? (Number) whole.intValue() : number;
              })
          .create();

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
    ChunkRule rule = ChunkRule.parse(GSON.fromJson(stored.get("rule"), Object.class));
    LongText text = text(stored, rule);
    List<String> texts = new ArrayList<>(List.of(rule.hashed(text)));
    if (stored.get("chunks").isJsonNull()) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> Cutter.cut(text, rule, SIZES));
      assertTrue(refused.getMessage().contains("more than " + rule.maxChunks() + " chunks"));
    } else {
      Cut cut = Cutter.cut(text, rule, SIZES);
      List<List<Object>> chunks =
          cut.chunks().stream().map(c -> Arrays.asList(c.start(), c.end(), c.name())).toList();
      assertEquals(GSON.fromJson(stored.get("chunks"), Object.class), chunks);
      assertEquals(stored.get("short").getAsBoolean(), cut.isShort());
      cut.chunks().forEach(chunk -> texts.add(chunk.content()));
      List<Window> windows =
          rule.isLate() ? Window.of(text.text(), cut.chunks(), WINDOW, SIZES) : List.of();
      windows.forEach(window -> texts.add(window.content()));
      List<List<List<Integer>>> spans =
          windows.stream()
              .map(each -> each.spans().stream().map(s -> List.of(s[0], s[1])).toList())
              .toList();
      assertEquals(GSON.fromJson(stored.get("windows"), Object.class), spans);
    }
    assertEquals(stored.get("digest").getAsString(), digest(texts));
  }

  private static String digest(List<String> texts) throws Exception {
    byte[] content = String.join("\0", texts).getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  private static LongText text(JsonObject stored, ChunkRule rule) {
    List<LongText.Item> items =
        stored.getAsJsonArray("items").asList().stream()
            .map(JsonElement::getAsJsonArray)
            .map(item -> new LongText.Item(name(item.get(0)), item.get(1).getAsString()))
            .toList();
    LongText text =
        LongText.of(
            items,
            stored.get("joiner").getAsString(),
            rule.by().equals(ChunkRule.BY_SECTION),
            stored.get("prefix").getAsString());
    return rule.nameKey() == null ? new LongText(text.text(), List.of(), text.prefix()) : text;
  }

  private static Object name(JsonElement stored) {
    return GSON.fromJson(stored, Object.class);
  }

  @Test
  void aChunkIsReadWithoutTheSpacesAroundIt() throws Exception {
    LongText text = LongText.of("  One. \n Two.\n");
    Cut cut = Cutter.cut(text, new ChunkRule("sentence", 64, 0, 9), SIZES);
    assertEquals(List.of(new Chunk(0, 14, "One. \n Two.", null)), cut.chunks());
    ChunkRule tokens = new ChunkRule("tokens", 64, 0, 9);
    assertEquals(List.of(), Cutter.cut(LongText.of(""), tokens, SIZES).chunks());
  }

  @Test
  void aPromptThatLeavesAChunkNoRoomIsNamed() throws Exception {
    LongText text = LongText.of("One.");
    ChunkRule rule = new ChunkRule("tokens", 32, 0, 9);
    assertEquals(
        List.of(new Chunk(0, 4, "One.", null)), Cutter.cut(text, rule, behind(66)).chunks());
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Cutter.cut(text, rule, behind(69)));
    assertEquals(
        "chunk.max_tokens is [32]; prompt and special tokens take 25 of them, and at least 8 must"
            + " be the text's: raise it, as far as the encoder reads, or give a shorter prompt",
        refused.getMessage());
  }

  /** As behind a prompt of so many letters. */
  private static Cutter.Sizes behind(int letters) {
    String prompt = "x".repeat(letters);
    return texts -> SIZES.of(texts.stream().map(prompt::concat).toList());
  }

  @Test
  void aTextWithoutSpacesHasFullChunksAndIsReadNoFurtherThanTheyGo() throws Exception {
    List<String> asked = new ArrayList<>();
    Cutter.Sizes sizes =
        texts -> {
          asked.addAll(texts);
          return SIZES.of(texts);
        };
    ChunkRule rule = new ChunkRule("sentence", 64, 0, 20, ChunkRule.CUT, List.of());
    Cut cut = Cutter.cut(LongText.of("x".repeat(900_000)), rule, sizes);
    assertTrue(cut.isShort());
    assertEquals(20, cut.chunks().size());
    for (Chunk chunk : cut.chunks()) {
      assertEquals(64, SIZES.of(List.of(chunk.content()))[0]);
    }
    assertTrue(asked.size() < 15 * 20, "asked " + asked.size() + " times");
    assertTrue(asked.stream().allMatch(text -> text.length() < 1000));
  }

  @Test
  void sentencesBehindTheLastChunkAreHardlyRead() throws Exception {
    AtomicInteger read = new AtomicInteger();
    Cutter.Sizes sizes =
        texts -> {
          texts.forEach(text -> read.addAndGet(text.length()));
          return SIZES.of(texts);
        };
    ChunkRule rule = new ChunkRule("sentence", 64, 0, 3, ChunkRule.CUT, List.of());
    assertTrue(Cutter.cut(LongText.of("One sentence. ".repeat(50_000)), rule, sizes).isShort());
    assertTrue(read.get() < 100_000, "read " + read.get() + " characters");
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
        "{'max_chunks': 0}",
        "{'beyond': 'drop'}",
        "{'by': 'late', 'overlap': 8}",
        "{'by': 'late', 'prefix': 'title'}",
        "{'prefix': ['title', 5]}"
      })
  void aRuleThatCannotBeIsRefused(String stated) {
    Object rule = GSON.fromJson(stated, Object.class);
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
