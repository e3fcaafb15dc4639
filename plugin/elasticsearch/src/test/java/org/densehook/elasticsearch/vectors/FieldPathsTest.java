package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FieldPathsTest {

  @Test
  void aValueIsReadAsThePythonPackageReadsIt() {
    assertEquals(1, FieldPaths.value(Map.of("a", 1), "a"));
    assertEquals(1, FieldPaths.value(Map.of("a", Map.of("b", 1)), "a.b"));
    assertEquals(1, FieldPaths.value(Map.of("a.b", 1), "a.b"));
    assertEquals(1, FieldPaths.value(Map.of("a", Map.of("b.c", 1)), "a.b.c"));
    assertEquals(1, FieldPaths.value(Map.of("a.b", 1, "a", Map.of("b", 2)), "a.b"));
    assertNull(FieldPaths.value(Map.of("a", List.of(Map.of("b", 1))), "a.b"));
    assertNull(FieldPaths.value(Map.of("a", "text"), "a.b"));
    assertNull(FieldPaths.value(Map.of(), "a.b"));
  }

  @Test
  void ofObjectsInListsWhateverListsTheseAreInEachHasItsValue() {
    Map<String, Object> one = Map.of("b", 1);
    Map<String, Object> two = Map.of("b", 2);
    List<Object> both = List.of(1, 2);
    assertEquals(both, FieldPaths.values(Map.of("a", List.of(one, two, "text")), "a.b"));
    assertEquals(
        both, FieldPaths.values(Map.of("a", List.of(List.of(one), List.of(List.of(two)))), "a.b"));
    assertEquals(both, FieldPaths.values(Map.of("x.a", List.of(List.of(one, two))), "x.a.b"));
    assertEquals(List.of(List.of(1), List.of(2)), rows(Map.of("a", List.of(one, List.of(two)))));
    assertEquals(1, FieldPaths.values(Map.of("a", one), "a.b"));
    assertNull(FieldPaths.values(Map.of("a", List.of(List.of(Map.of("c", 1)))), "a.b"));
  }

  @Test
  void aNullAmongObjectsHasNothingAndIsOneOfThem() {
    List<Object> objects = Arrays.asList(Map.of("b", 1), null, Map.of("c", 2));
    assertEquals(
        List.of(List.of(1), Collections.singletonList(null), Collections.singletonList(null)),
        rows(Map.of("a", objects)));
    assertEquals(List.of(), rows(Map.of("a", List.of())));
    assertEquals(List.of(), rows(Map.of("c", 1)));
    assertEquals(List.of(List.of(1)), rows(Map.of("a.b", 1)));
  }

  private static List<List<Object>> rows(Map<String, Object> document) {
    return FieldPaths.rows(document, "a", List.of("a.b"));
  }

  @Test
  void aNullIsThereButNoValue() {
    Map<String, Object> inner = new HashMap<>();
    inner.put("b", null);
    assertTrue(FieldPaths.has(Map.of("a", inner), "a.b"));
    assertNull(FieldPaths.value(Map.of("a", inner), "a.b"));
    assertFalse(FieldPaths.has(Map.of("a", Map.of()), "a.b"));
  }

  @Test
  void aFieldIsFoundInEverySpelling() {
    for (Map<String, Object> document : spellings(1)) {
      assertEquals(1, FieldPaths.value(document, "a.b.c"), document.toString());
      FieldPaths.remove(document, "a.b.c");
      assertFalse(FieldPaths.has(document, "a.b.c"), document.toString());
    }
  }

  @Test
  void aFieldIsPutIntoTheObjectItsPathNames() {
    assertEquals(Map.of("a", Map.of("b", 1)), put(Map.of(), "a.b"));
    assertEquals(Map.of("a", Map.of("x", 2, "b", 1)), put(Map.of("a", map("x", 2)), "a.b"));
    assertEquals(Map.of("a", List.of(), "a.b", 1), put(Map.of("a", List.of()), "a.b"));
    assertEquals(Map.of("a", 1), put(Map.of("a", 2), "a"));
  }

  private static Map<String, Object> put(Map<String, Object> document, String path) {
    Map<String, Object> copy = new LinkedHashMap<>(document);
    FieldPaths.put(copy, path, 1);
    return copy;
  }

  private static List<Map<String, Object>> spellings(Object value) {
    return List.of(
        map("a.b.c", value),
        map("a", map("b.c", value)),
        map("a.b", map("c", value)),
        map("a", map("b", map("c", value))));
  }

  private static Map<String, Object> map(String key, Object value) {
    return new HashMap<>(Map.of(key, value));
  }
}
