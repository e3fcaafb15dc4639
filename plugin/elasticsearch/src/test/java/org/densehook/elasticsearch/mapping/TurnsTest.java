package org.densehook.elasticsearch.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.elasticsearch.action.ActionListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TurnsTest {

  private final ExecutorService threads = Executors.newFixedThreadPool(8);
  private final Turns<String> turns = new Turns<>();

  @AfterEach
  void endTheThreads() {
    threads.shutdownNow();
  }

  /** Each reads a number and writes one more later, as a mapping is read and put. */
  @Test
  void nobodyOverwritesWhatAnotherHasJustWritten() throws Exception {
    List<Set<String>> wanted =
        List.of(Set.of("a"), Set.of("b"), Set.of("a", "b"), Set.of("b", "c"), Set.of("c", "a"));
    Map<String, Integer> numbers = new HashMap<>(Map.of("a", 0, "b", 0, "c", 0)); // unguarded
    int each = 200;
    CountDownLatch answered = new CountDownLatch(wanted.size() * each);
    AtomicInteger failed = new AtomicInteger();
    for (int i = 0; i < wanted.size() * each; i++) {
      Set<String> keys = wanted.get(i % wanted.size());
      boolean fails = i % 7 == 0;
      threads.execute(
          () ->
              turns.take(
                  keys,
                  ActionListener.<Void>runAfter(
                      ActionListener.wrap(done -> {}, e -> failed.incrementAndGet()),
                      answered::countDown),
                  answer -> {
                    Map<String, Integer> read = new HashMap<>();
                    keys.forEach(key -> read.put(key, numbers.get(key)));
                    threads.execute(
                        () -> {
                          Thread.yield();
                          read.forEach((key, number) -> numbers.put(key, number + 1));
                          if (fails) {
                            answer.onFailure(new IllegalStateException());
                          } else {
                            answer.onResponse(null);
                          }
                        });
                  }));
    }
    assertTrue(answered.await(20, TimeUnit.SECONDS));
    assertEquals(Map.of("a", 3 * each, "b", 3 * each, "c", 2 * each), numbers);
    assertEquals((wanted.size() * each + 6) / 7, failed.get());
  }

  @Test
  void thoseThatWantOtherThingsPass() {
    List<String> order = new ArrayList<>();
    List<ActionListener<Void>> open = new ArrayList<>();
    for (String key : List.of("a", "b", "a")) {
      turns.take(
          Set.of(key),
          ActionListener.<Void>noop(),
          answer -> {
            order.add(key);
            open.add(answer);
          });
    }
    assertEquals(List.of("a", "b"), order);
    open.get(0).onResponse(null);
    assertEquals(List.of("a", "b", "a"), order);
  }

  @Test
  void oneThatThrowsEndsItsTurn() {
    List<String> told = new ArrayList<>();
    ActionListener<Void> listener =
        ActionListener.wrap(done -> told.add("done"), e -> told.add(e.getMessage()));
    turns.take(
        Set.of("a"),
        listener,
        answer -> {
          throw new IllegalStateException("thrown");
        });
    turns.take(Set.of("a"), listener, answer -> answer.onResponse(null));
    assertEquals(List.of("thrown", "done"), told);
  }
}
