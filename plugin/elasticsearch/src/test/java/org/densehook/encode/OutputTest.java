package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.EnumSet;
import org.densehook.bundle.Kind;
import org.junit.jupiter.api.Test;

class OutputTest {

  @Test
  void everyKindHasItsOutput() {
    assertEquals(EnumSet.allOf(Kind.class), Output.BY_KIND.keySet());
  }
}
