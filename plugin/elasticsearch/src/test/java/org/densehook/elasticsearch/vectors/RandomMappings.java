package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** JSON objects that look like mappings here and there and are anything elsewhere. */
public final class RandomMappings {

  private static final List<String> KEYS =
      List.of(
          "_meta",
          "densehook",
          "fields",
          "bm25",
          "input",
          "encoder",
          "fingerprint",
          "properties",
          "type",
          "path",
          "dims",
          "similarity",
          "element_type",
          "_source",
          "template",
          "prompt",
          "prompts",
          "field",
          "copy_to",
          "includes",
          "excludes",
          "enabled",
          "a",
          "a.b",
          "b",
          "parts",
          "",
          ".",
          "..",
          "a.",
          "_doc",
          "dynamic",
          "\ud800");
  private static final List<Object> VALUES =
      List.of(
          "text",
          "nested",
          "object",
          "alias",
          "dense_vector",
          "a",
          "a.b",
          "",
          " ",
          "*",
          "a.*",
          "b",
          384,
          -1,
          1.5,
          1e300,
          true,
          false,
          "byte",
          "densehook",
          "flattened",
          Long.MAX_VALUE);

  private final Random random;

  public RandomMappings(long seed) {
    random = new Random(seed);
  }

  public Map<String, Object> next() {
    Map<String, Object> mapping = object(0);
    if (random.nextInt(4) > 0) { // a path that is looked at
      mapping.put("_meta", oneOf(one("densehook", value(1)), value(1)));
    }
    if (random.nextInt(4) > 0) {
      mapping.put("properties", object(1));
    }
    return mapping;
  }

  private static Map<String, Object> one(String key, Object value) {
    Map<String, Object> object = new LinkedHashMap<>(); // null is a value too
    object.put(key, value);
    return object;
  }

  private Object oneOf(Object one, Object other) {
    return random.nextBoolean() ? one : other;
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = random.nextInt(6); i > 0; i--) {
      object.put(KEYS.get(random.nextInt(KEYS.size())), value(depth + 1));
    }
    return object;
  }

  private Object value(int depth) {
    int kind = random.nextInt(depth > 6 ? 6 : 10);
    if (kind == 0) {
      return null;
    }
    if (kind == 1) {
      List<Object> list = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        list.add(value(depth + 1));
      }
      return list;
    }
    return kind < 6 ? VALUES.get(random.nextInt(VALUES.size())) : object(depth);
  }
}
