package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same texts and refusals as densehook.number_lists in Python. */
final class NumberListTest {

  private static final Gson JSON =
      new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.BIG_DECIMAL).create();

  /** Cases that Python is held to as well (tests/unit/test_number_lists.py). */
  static Stream<JsonObject> cases() throws Exception {
    try (Reader reader =
        new InputStreamReader(
            NumberListTest.class.getResourceAsStream("numbers.json"), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonArray().asList().stream()
          .map(JsonElement::getAsJsonObject);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void textsAndRefusalsAreThoseOfPython(JsonObject stored) {
    Object list = JSON.fromJson(stored.get("list").getAsString(), Object.class);
    if (stored.has("text")) {
      assertEquals(stored.get("text").getAsString(), NumberList.text(list));
    } else {
      Exception refused = assertThrows(IllegalArgumentException.class, () -> NumberList.text(list));
      assertEquals(stored.get("reason").getAsString(), refused.getMessage());
    }
  }

  @Test
  void aTextIsReadAsTheListThatItIsOf() {
    String text = NumberList.text(List.of(List.of(1, 2.5), List.of(-3, 4)));
    assertEquals(List.of(List.of(1f, 2.5f), List.of(-3f, 4f)), NumberList.asRequested(text));
    assertEquals(text, NumberList.text(NumberList.asRequested(text)));
    assertEquals(List.of(0.5f), NumberList.asRequested(NumberList.text(0.5)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "hello", "1:", "0:P4AAAA==", "2:P4AAAA==", "x:P4AAAA==", "1:P4AA", "1:?"})
  void anyOtherTextIsNone(String text) {
    assertThrows(IllegalArgumentException.class, () -> NumberList.of(text));
  }
}
