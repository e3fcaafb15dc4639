package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.elasticsearch.action.ActionListener;
import org.junit.jupiter.api.Test;

class QueryWaitTest {

  private final List<String> told = new ArrayList<>();
  private final QueryWait wait =
      new QueryWait(
          ActionListener.wrap(vector -> told.add("vector"), e -> told.add(e.getMessage())));

  private void end() {
    wait.end(() -> told.add("left"), new IllegalStateException("ended"));
  }

  @Test
  void aVectorThatComesInTimeIsTheAnswer() {
    assertFalse(wait.isOver());
    wait.onResponse(new float[] {1});
    assertTrue(wait.isOver());
    end();
    wait.onFailure(new IllegalStateException("late"));
    assertEquals(List.of("vector"), told);
  }

  @Test
  void oneThatIsEndedLeavesFirstAndIsToldOnce() {
    end();
    assertTrue(wait.isOver());
    end();
    wait.onResponse(new float[] {1});
    assertEquals(List.of("left", "ended"), told);
  }
}
