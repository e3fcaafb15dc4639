package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.junit.jupiter.api.Test;

class VectorPlanTest {

  private static final EmbeddedField FIELD =
      new EmbeddedField("embedding", List.of("title", "body"), "encoder", "sha256:1", false);

  private static final EncoderHandle ENCODER =
      new EncoderHandle() {
        @Override
        public String name() {
          return "encoder";
        }

        @Override
        public String fingerprint() {
          return "sha256:1";
        }

        @Override
        public int dims() {
          return 2;
        }

        @Override
        public String join(List<String> inputs) {
          return String.join("|", inputs.stream().filter(input -> !input.isEmpty()).toList());
        }
      };

  @Test
  void theTextIsTheJoinedInputsThatAreNotEmpty() {
    Map<String, Object> document =
        Map.of("title", Arrays.asList("a", null, "", List.of(7)), "body", true);
    assertEquals("a|7|true", only(document, false).text(ENCODER));
    assertEquals("b", only(Map.of("title", "", "body", "b"), false).text(ENCODER));
  }

  @Test
  void aVectorThatIsThereStays() {
    assertTrue(plans(Map.of("body", "b", "embedding", List.of(1.0)), false).isEmpty());
  }

  @Test
  void aVectorOfAnEarlierTextIsMadeAgainOrGoes() {
    Map<String, Object> document = Map.of("body", "b", "embedding", List.of(1.0));
    assertEquals("b", only(document, true).text(ENCODER));
    assertTrue(only(Map.of("body", "", "embedding", List.of(1.0)), true).removes());
  }

  @Test
  void anEmptyVectorFieldIsFilled() {
    Map<String, Object> document = new HashMap<>(Map.of("body", "b"));
    document.put("embedding", null);
    assertEquals("b", only(document, false).text(ENCODER));
  }

  @Test
  void noTextNeedsNothing() {
    assertTrue(plans(Map.of("other", "text"), false).isEmpty());
    assertTrue(plans(Map.of("title", "", "body", List.of()), true).isEmpty());
  }

  @Test
  void anObjectIsNoText() {
    Map<String, Object> document = Map.of("body", Map.of("en", "b"));
    assertThrows(IllegalArgumentException.class, () -> plans(document, false));
  }

  private static VectorPlan only(Map<String, Object> document, boolean outdated) {
    List<VectorPlan> plans = plans(document, outdated);
    assertEquals(1, plans.size());
    return plans.get(0);
  }

  private static List<VectorPlan> plans(Map<String, Object> document, boolean outdated) {
    return VectorPlan.of(List.of(FIELD), document, field -> outdated);
  }
}
