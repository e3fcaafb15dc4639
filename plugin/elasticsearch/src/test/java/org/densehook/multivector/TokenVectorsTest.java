package org.densehook.multivector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same cases as the Python package's. */
class TokenVectorsTest {

  private static JsonArray cases() throws IOException {
    return shared("cases.json").getAsJsonArray();
  }

  private static JsonElement shared(String name) throws IOException {
    try (Reader reader =
        new InputStreamReader(
            TokenVectorsTest.class.getResourceAsStream(name), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader);
    }
  }

  private static float[] numbers(JsonElement list) {
    JsonArray array = list.getAsJsonArray();
    float[] numbers = new float[array.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = array.get(i).getAsFloat();
    }
    return numbers;
  }

  private static float[] random(int tokens, int dims) {
    Random random = new Random(tokens);
    float[] vectors = new float[tokens * dims];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = (float) (random.nextGaussian() / Math.sqrt(dims));
    }
    return vectors;
  }

  @Test
  void bytesAndScoresAreThoseOfTheCases() throws IOException {
    for (JsonElement each : cases()) {
      JsonObject one = each.getAsJsonObject();
      int dims = one.get("dims").getAsInt();
      float[] document = numbers(one.get("document"));
      MaxSim scoring = new MaxSim(numbers(one.get("query")), dims);
      for (Precision precision : Precision.values()) {
        JsonObject stored = one.getAsJsonObject("stored").getAsJsonObject(precision.toString());
        byte[] expected = Base64.getDecoder().decode(stored.get("value").getAsString());
        assertArrayEquals(expected, TokenVectors.pack(document, dims, precision));
        float score = scoring.score(expected, 0, expected.length);
        assertEquals(stored.get("score").getAsFloat(), score, 1e-5f);
        assertEquals(document.length / dims, scoring.tokens());
      }
    }
  }

  @Test
  void poolingIsThatOfTheCases() throws IOException {
    for (JsonElement each : cases()) {
      JsonObject one = each.getAsJsonObject();
      for (Map.Entry<String, JsonElement> pooled : one.getAsJsonObject("pooled").entrySet()) {
        float[] found =
            Pooling.pooled(
                numbers(one.get("document")),
                one.get("dims").getAsInt(),
                Integer.parseInt(pooled.getKey()));
        assertArrayEquals(numbers(pooled.getValue()), found, 1e-5f);
      }
    }
  }

  /** Vectors of length 1 whose products are exact, as the Python package's test makes them. */
  private static float[] signs(int tokens, int dims) {
    float[] vectors = new float[tokens * dims];
    long state = 1;
    for (int i = 0; i < vectors.length; i++) {
      state = (state * 1_103_515_245L + 12_345) % (1L << 31);
      vectors[i] = state >> 30 == 1 ? 0.25f : -0.25f;
    }
    return vectors;
  }

  @Test
  void aTextOfSeveralWindowsIsPooledAsPythonDoesIt() throws IOException {
    JsonObject shared = shared("long.json").getAsJsonObject();
    int dims = shared.get("dims").getAsInt();
    float[] vectors = signs(shared.get("tokens").getAsInt(), dims);
    for (Map.Entry<String, JsonElement> each : shared.getAsJsonObject("pooled").entrySet()) {
      JsonArray expected = each.getValue().getAsJsonArray();
      float[] found = Pooling.pooled(vectors, dims, Integer.parseInt(each.getKey()));
      assertEquals(expected.get(0).getAsInt(), found.length / dims);
      double weighed = 0;
      for (int i = 0; i < found.length; i++) {
        weighed += found[i] * (i * 31L % 101) / 100.0;
      }
      assertEquals(expected.get(1).getAsDouble(), weighed, 1e-3);
    }
  }

  @Test
  void aLongTextIsPooledInBoundedTimeAndMemory() {
    float[] vectors = random(8192, 128);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    float[] found = assertTimeout(Duration.ofSeconds(60), () -> Pooling.pooled(vectors, 128, 4));
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertEquals(1 + 8191 / 4, found.length / 128);
    // of all windows together; of all pairs of tokens it was 537 MB
    assertTrue(allocated < 160L << 20, () -> allocated + " bytes");
  }

  @Test
  void whatIsPackedIsReadAgain() {
    for (int tokens = 0; tokens < 20; tokens++) {
      float[] vectors = random(tokens, 7);
      assertArrayEquals(
          vectors, TokenVectors.unpack(TokenVectors.pack(vectors, 7, Precision.FLOAT32)));
      float[] near = TokenVectors.unpack(TokenVectors.pack(vectors, 7, Precision.INT8));
      assertArrayEquals(vectors, near, 0.01f);
      assertEquals(
          vectors.length,
          TokenVectors.unpack(TokenVectors.pack(vectors, 7, Precision.ONE_BIT)).length);
    }
  }

  @Test
  void oneScorerScoresDocumentsOfAllSizesFromTheMiddleOfAnArray() {
    MaxSim scoring = new MaxSim(random(3, 7), 7);
    for (int tokens : new int[] {30, 1, 0, 12}) {
      byte[] value = TokenVectors.pack(random(tokens, 7), 7, Precision.INT8);
      byte[] around = new byte[value.length + 9];
      System.arraycopy(value, 0, around, 4, value.length);
      float alone = new MaxSim(random(3, 7), 7).score(value, 0, value.length);
      assertEquals(alone, scoring.score(around, 4, value.length));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "5|0|0|5 bytes are no token vectors",
        "15|0|0|have 15 bytes; 1 of 2 dims in float32 have 16",
        "16|0|2|of layout 2; this plugin reads 1",
        "16|1|9|of precision 9; known: 0 to 2",
        "16|2|0|1 of 0 dims in float32 have 8",
      })
  void whatIsNoneIsRefusedInALine(int length, int at, byte spoiled, String said) {
    byte[] value = TokenVectors.pack(new float[] {1, 0}, 2, Precision.FLOAT32);
    value = Arrays.copyOf(value, length);
    if (length == 16) {
      value[at] = spoiled;
    }
    byte[] bytes = value;
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> TokenVectors.header(bytes, 0, bytes.length));
    assertEquals(true, refused.getMessage().contains(said), refused.getMessage());
  }

  @Test
  void otherDimsThanTheQuerysAreRefused() {
    byte[] value = TokenVectors.pack(new float[] {1, 0}, 2, Precision.FLOAT32);
    MaxSim scoring = new MaxSim(new float[] {1, 0, 0}, 3);
    assertThrows(
        IllegalArgumentException.class, () -> scoring.score(value, 0, value.length), "2 dims");
  }
}
