package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.junit.jupiter.api.Test;

class UpdateNeedsTest {

  private static final EmbeddedField ONE =
      new EmbeddedField("one", List.of("title", "text.en"), "encoder", "sha256:1", false);
  private static final EmbeddedField TWO =
      new EmbeddedField("two", List.of("body"), "encoder", "sha256:1", false);
  private static final List<EmbeddedField> BOTH = List.of(ONE, TWO);

  @Test
  void aChangedInputOutdatesTheVectorsMadeOfIt() {
    assertEquals(List.of(ONE), of(Map.of("title", "new")).outdated());
    assertEquals(List.of(ONE), of(Map.of("text", Map.of("en", "new"))).outdated());
    assertEquals(List.of(ONE, TWO), of(Map.of("text", "new", "body", "new")).outdated());
  }

  @Test
  void anInputSetToNullIsAChange() {
    Map<String, Object> partial = new HashMap<>();
    partial.put("body", null);
    assertEquals(List.of(TWO), of(partial).outdated());
  }

  @Test
  void otherFieldsNeedNothing() {
    assertTrue(of(Map.of("views", 1, "text", Map.of("de", "neu"))).none());
    assertTrue(of(Map.of()).none());
  }

  @Test
  void aVectorThatComesWithTheUpdateIsTheClients() {
    assertTrue(of(Map.of("body", "new", "two", List.of(1.0))).none());
  }

  @Test
  void aVectorThatIsTakenAwayIsMadeAgain() {
    Map<String, Object> partial = new HashMap<>();
    partial.put("two", null);
    assertEquals(List.of(TWO), of(partial).outdated());
  }

  @Test
  void anUpsertWithTextAndNoVectorNeedsOne() {
    Map<String, Object> views = Map.of("views", 1);
    assertTrue(UpdateNeeds.of(BOTH, views, Map.of("body", "text")).creates());
    assertFalse(UpdateNeeds.of(BOTH, views, Map.of("other", "text")).creates());
    assertFalse(UpdateNeeds.of(BOTH, views, Map.of("body", "text", "two", List.of(1.0))).creates());
    assertTrue(UpdateNeeds.of(BOTH, views, null).none());
  }

  private static UpdateNeeds of(Map<String, Object> partial) {
    return UpdateNeeds.of(BOTH, partial, null);
  }
}
