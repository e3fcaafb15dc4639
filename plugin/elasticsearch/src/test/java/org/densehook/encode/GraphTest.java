package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class GraphTest {

  private static Tokens tokens(int length) {
    return new Tokens(new long[length], 0);
  }

  @Test
  void aBatchIsAsLongAsItsLongestText() {
    assertEquals(5, Graph.longest(List.of(tokens(3), tokens(5), tokens(4)), true));
    assertEquals(5, Graph.longest(List.of(tokens(5), tokens(5)), false));
    assertEquals(5, Graph.longest(List.of(tokens(5)), false));
  }

  @Test
  void aVectorIsPooledOfTheLastTokenAtLeast() {
    assertEquals(3, tokens(5).withoutFirst(3).unpooled());
    assertEquals(4, tokens(5).withoutFirst(9).unpooled());
    assertEquals(0, tokens(5).unpooled());
  }

  @Test
  void aGraphThatDoesNotKnowPaddingGetsNone() {
    List<Tokens> unlike = List.of(tokens(5), tokens(4));
    Exception refusal =
        assertThrows(IllegalArgumentException.class, () -> Graph.longest(unlike, false));
    assertTrue(refusal.getMessage().contains("texts of 4 to 5 tokens"), refusal.getMessage());
  }
}
