package org.densehook.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * A JSON object with exactly the keys it must have: each value is of its type, or refused in one
 * line. What is refused here the Python package refuses too; one list of bad manifests tests both.
 */
final class Stated {

  static final String NAME =
      "a name of at most 200 characters, without slashes, colons and control characters, and with"
          + " no dot or space before it";

  private static final int LONGEST_NAME = 200;
  private static final int SHOWN = 120;
  private static final Pattern WHOLE = Pattern.compile("0|[1-9][0-9]{0,9}");

  private final JsonObject content;
  private final String where;

  /**
   * @param where what messages call the object
   * @throws BundleException when it is no object, lacks a key, or has one that is not known
   */
  Stated(JsonElement content, String where, Set<String> needed, Set<String> optional)
      throws BundleException {
    if (!content.isJsonObject()) {
      throw new BundleException(where + " is " + shown(content) + "; it must be an object");
    }
    this.content = content.getAsJsonObject();
    this.where = where;
    Set<String> missing = new TreeSet<>(needed);
    missing.removeAll(this.content.keySet());
    Set<String> unknown = new TreeSet<>(this.content.keySet());
    unknown.removeAll(needed);
    unknown.removeAll(optional);
    if (!missing.isEmpty() || !unknown.isEmpty()) {
      throw new BundleException(
          where
              + " has not the keys it must have: missing "
              + cut(missing.toString())
              + ", unknown "
              + cut(unknown.toString()));
    }
  }

  /**
   * The value of a JSON text.
   *
   * @throws BundleException when it is none, by the letter of RFC 8259, or has a key twice
   */
  static JsonElement parse(String json, String where) throws BundleException {
    try (JsonReader reader = strict(json)) {
      JsonElement value = JsonParser.parseReader(reader);
      if (json.isBlank()) { // which the parser takes for null
        throw new JsonParseException("it is empty");
      }
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new JsonParseException("there is more after its end");
      }
      requireEachKeyOnce(json);
      return value;
    } catch (JsonParseException | NumberFormatException | IOException e) {
      throw new BundleException(where + " is not JSON: " + cut(e.getMessage()));
    }
  }

  private static JsonReader strict(String json) {
    JsonReader reader = new JsonReader(new StringReader(json));
    reader.setStrictness(Strictness.STRICT);
    return reader;
  }

  /** Gson's parser would take the last one. */
  private static void requireEachKeyOnce(String json) throws IOException {
    Deque<Set<String>> open = new ArrayDeque<>();
    try (JsonReader reader = strict(json)) {
      for (JsonToken next = reader.peek(); next != JsonToken.END_DOCUMENT; next = reader.peek()) {
        switch (next) {
          case BEGIN_OBJECT -> {
            reader.beginObject();
            open.push(new HashSet<>());
          }
          case END_OBJECT -> {
            reader.endObject();
            open.pop();
          }
          case BEGIN_ARRAY -> reader.beginArray();
          case END_ARRAY -> reader.endArray();
          case NAME -> {
            String key = reader.nextName();
            if (!open.element().add(key)) {
              throw new JsonParseException("the key [" + key + "] stands twice");
            }
          }
          default -> reader.skipValue();
        }
      }
    }
  }

  /** The value on one line, cut where it is long. */
  static String shown(JsonElement value) {
    return cut(value.isJsonPrimitive() ? '[' + value.getAsString() + ']' : value.toString());
  }

  private static String cut(String text) {
    String line = text.replaceAll("\\p{Cntrl}", " ");
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "…";
  }

  /** Whether it can be the name of a file beside others, wherever bundles are copied to. */
  static boolean isName(String value) {
    return !value.isEmpty()
        && value.codePointCount(0, value.length()) <= LONGEST_NAME
        && !value.startsWith(".")
        && !value.startsWith(" ")
        && !value.endsWith(" ")
        && isText(value)
        && value.chars().allMatch(c -> c >= ' ' && "/\\:\u007f".indexOf(c) < 0);
  }

  /** Whether UTF-8 can hold it: it has no lone surrogate. */
  private static boolean isText(String value) {
    return value.codePoints().noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
  }

  private static boolean isText(JsonElement value) {
    return value instanceof JsonPrimitive primitive
        && primitive.isString()
        && isText(primitive.getAsString());
  }

  private static boolean isNumber(JsonElement value, int least) {
    if (!(value instanceof JsonPrimitive primitive && primitive.isNumber())
        || !WHOLE.matcher(value.getAsString()).matches()) {
      return false;
    }
    long number = Long.parseLong(value.getAsString());
    return number >= least && number <= Integer.MAX_VALUE;
  }

  private static boolean isReal(JsonElement value) {
    return value instanceof JsonPrimitive primitive
        && primitive.isNumber()
        && Float.isFinite(value.getAsFloat());
  }

  /** What messages call it. */
  String where() {
    return where;
  }

  boolean has(String key) {
    return content.has(key);
  }

  String text(String key) throws BundleException {
    return held(key, Stated::isText, "a string").getAsString();
  }

  String name(String key) throws BundleException {
    return held(key, value -> isText(value) && isName(value.getAsString()), NAME).getAsString();
  }

  String oneOf(String key, Set<String> known) throws BundleException {
    text(key);
    String what = "one of " + String.join(", ", new TreeSet<>(known));
    return held(key, value -> known.contains(value.getAsString()), what).getAsString();
  }

  int number(String key, int least) throws BundleException {
    String what = "a " + (least > 0 ? "positive " : "") + "number, at most " + Integer.MAX_VALUE;
    return held(key, value -> isNumber(value, least), what).getAsInt();
  }

  float real(String key) throws BundleException {
    return held(key, Stated::isReal, "a finite number").getAsFloat();
  }

  boolean truth(String key) throws BundleException {
    Predicate<JsonElement> isTruth =
        value -> value instanceof JsonPrimitive primitive && primitive.isBoolean();
    return held(key, isTruth, "true or false").getAsBoolean();
  }

  List<String> names(String key) throws BundleException {
    List<String> names = new ArrayList<>();
    for (JsonElement each :
        listOf(key, value -> isText(value) && isName(value.getAsString()), "names")) {
      names.add(each.getAsString());
    }
    return names;
  }

  List<Long> tokenIds(String key) throws BundleException {
    List<Long> ids = new ArrayList<>();
    for (JsonElement each : listOf(key, value -> isNumber(value, 0), "token ids")) {
      ids.add(each.getAsLong());
    }
    return ids;
  }

  /** Of numbers the bits of each as float32. */
  List<Long> bits(String key) throws BundleException {
    List<Long> bits = new ArrayList<>();
    for (float number : vector(key)) {
      bits.add(Integer.toUnsignedLong(Float.floatToRawIntBits(number)));
    }
    return bits;
  }

  float[] vector(String key) throws BundleException {
    JsonArray numbers = listOf(key, Stated::isReal, "finite numbers");
    float[] vector = new float[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = numbers.get(i).getAsFloat();
    }
    return vector;
  }

  Map<String, JsonElement> table(String key) throws BundleException {
    return object(key).asMap();
  }

  Stated table(String key, Set<String> needed) throws BundleException {
    return new Stated(object(key), where + ": " + key, needed, Set.of());
  }

  private JsonObject object(String key) throws BundleException {
    return held(key, JsonElement::isJsonObject, "an object").getAsJsonObject();
  }

  private JsonArray listOf(String key, Predicate<JsonElement> each, String what)
      throws BundleException {
    Predicate<JsonElement> holds =
        value -> value.isJsonArray() && value.getAsJsonArray().asList().stream().allMatch(each);
    return held(key, holds, "a list of " + what).getAsJsonArray();
  }

  private JsonElement held(String key, Predicate<JsonElement> holds, String what)
      throws BundleException {
    JsonElement value = content.get(key);
    if (!holds.test(value)) {
      throw new BundleException(
          where + ": " + key + " is " + shown(value) + "; it must be " + what);
    }
    return value;
  }
}
