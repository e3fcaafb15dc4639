package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.bulk.BulkRequest;
import org.elasticsearch.action.bulk.BulkResponse;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.junit.jupiter.api.Test;

class BulkScopeTest {

  private final ThreadContext context = new ThreadContext(Settings.EMPTY);
  private final BulkScope filter = new BulkScope(context);
  private final List<Object> seen = new ArrayList<>();

  private void see() {
    seen.add(BulkScope.of(context));
  }

  private void bulk(Runnable during, ActionListener<BulkResponse> listener) {
    filter.apply(
        null,
        new BulkRequest(),
        listener,
        answer -> {
          during.run();
          answer.onResponse(null);
        });
  }

  @Test
  void whatOneBulkDoesIsOfOneAndAnotherIsAnother() {
    bulk(
        () -> {
          see();
          Runnable later = context.preserveContext(this::see);
          ThreadContext.StoredContext elsewhere = context.stashContext();
          later.run();
          elsewhere.restore();
        },
        ActionListener.noop());
    bulk(this::see, ActionListener.noop());
    assertSame(seen.get(0), seen.get(1));
    assertNotEquals(seen.get(1), seen.get(2));
  }

  @Test
  void aBulkWithinABulkIsAPartOfIt() {
    bulk(
        () -> {
          see();
          bulk(this::see, ActionListener.noop());
        },
        ActionListener.noop());
    assertSame(seen.get(0), seen.get(1));
  }

  @Test
  void whoWaitsForABulkIsOutsideIt() {
    context.putHeader("user", "a");
    bulk(
        this::see,
        ActionListener.running(
            () -> {
              assertEquals("a", context.getHeader("user"));
              see();
            }));
    see();
    assertEquals(3, seen.stream().distinct().count());
  }
}
