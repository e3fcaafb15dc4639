package org.densehook.elasticsearch.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GatheringTest {

  private final Queue<Runnable> underWay = new ArrayDeque<>();
  private final List<Integer> sizes = new ArrayList<>();
  private final Gathering<Integer, String> gathering = new Gathering<>(this::read);

  private void read(String index, List<Integer> wanted, Consumer<List<String>> told) {
    sizes.add(wanted.size());
    underWay.add(() -> told.accept(wanted.stream().map(each -> index + each).toList()));
  }

  @Test
  void tenThousandOneByOneAreFortyBatchesAndEachGetsItsOwn() {
    List<String> told = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      gathering.read("a", i, told::add);
    }
    assertEquals(List.of(1), sizes);
    while (!underWay.isEmpty()) {
      assertEquals(1, underWay.size(), "one batch of an index at a time");
      underWay.remove().run();
    }
    assertEquals(IntStream.range(0, 10_000).mapToObj(i -> "a" + i).toList(), told);
    assertEquals(41, sizes.size());
    assertTrue(sizes.stream().allMatch(size -> size <= 256));
  }

  @Test
  void oneIndexDoesNotWaitForAnother() {
    List<String> told = new ArrayList<>();
    gathering.read("a", 1, told::add);
    gathering.read("b", 2, told::add);
    assertEquals(2, underWay.size());
    underWay.remove().run();
    underWay.remove().run();
    gathering.read("a", 3, told::add); // the next begins anew
    underWay.remove().run();
    assertEquals(List.of("a1", "b2", "a3"), told);
  }

  @Test
  void oneWhoFailsCostsTheOthersNothing() {
    List<String> told = new ArrayList<>();
    gathering.read("a", 0, told::add);
    gathering.read(
        "a",
        1,
        found -> {
          throw new IllegalStateException(found);
        });
    gathering.read("a", 2, told::add);
    underWay.remove().run();
    assertThrows(IllegalStateException.class, underWay.remove()::run);
    assertEquals(List.of("a0", "a2"), told);
  }
}
