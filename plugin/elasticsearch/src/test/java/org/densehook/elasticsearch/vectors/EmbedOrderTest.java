package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesArray;
import org.junit.jupiter.api.Test;

class EmbedOrderTest {

  private static final EmbedOrder ORDER =
      new EmbedOrder(
          "v.w",
          List.of("t", "b"),
          TextTemplate.parse("{t}: {b}", List.of("t", "b")),
          DocumentPrompts.parse(
              Map.of("field", "l", "prompts", Map.of("de", "d: "), "default", "")),
          "e",
          Modality.TEXT);

  private static List<EmbedOrder> taken(Object notes) {
    return EmbedOrder.takenOutOf(new HashMap<>(Map.of("densehook", notes)));
  }

  @Test
  void whatIsLeftHasNoOrders() {
    Map<String, Object> document = new HashMap<>();
    document.put("densehook", ORDER.placedIn(Map.of("other", "note")));
    EmbedOrder.takenOutOf(document);
    assertEquals(Map.of("densehook", Map.of("other", "note")), document);
    document.put("densehook", ORDER.placedIn(null));
    EmbedOrder.takenOutOf(document);
    assertEquals(Map.of(), document);
  }

  @Test
  void anOrderIsFoundWhereItWasPlaced() {
    Map<String, Object> notes = ORDER.placedIn(Map.of("other", Map.of("text", "abc")));
    assertEquals(List.of(ORDER), taken(notes));
    EmbedOrder nameless = new EmbedOrder("v", List.of("t"), null, null, null, Modality.IMAGE);
    assertEquals(List.of(nameless), taken(nameless.placedIn("odd")));
  }

  @Test
  void aNoteIsNoOrder() {
    assertEquals(List.of(), taken(Map.of("v", Map.of("text", "a"))));
    assertEquals(List.of(), taken("text"));
    assertEquals(List.of(), EmbedOrder.takenOutOf(new HashMap<>()));
  }

  @Test
  void bytesThatMayHoldOneAreSeen() {
    assertTrue(EmbedOrder.maybeIn(new BytesArray("{\"ddensehook\":1}")));
    assertTrue(EmbedOrder.maybeIn(new BytesArray("densehook")));
    assertFalse(EmbedOrder.maybeIn(new BytesArray("{\"densehoo\":\"d\"}")));
    assertFalse(EmbedOrder.maybeIn(new BytesArray("")));
    assertFalse(EmbedOrder.maybeIn(null));
  }
}
