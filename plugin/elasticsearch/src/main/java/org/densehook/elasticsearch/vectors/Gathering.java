package org.densehook.elasticsearch.vectors;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Reads what is asked for one by one in batches, without a delay: what is asked for while a batch
 * of its index is being read, is read with the next.
 */
final class Gathering<W, F> {

  private static final int MOST = 256;

  private final Batches<W, F> batches;

  // by index, while a batch of it is being read: what was asked for meanwhile; guarded by it
  private final Map<String, Queue<Asked<W, F>>> waiting = new HashMap<>();

  /** Reads a batch. */
  @FunctionalInterface
  interface Batches<W, F> {

    /** Calls back once, with one for each wanted, in their order. */
    void read(String index, List<W> wanted, Consumer<List<F>> told);
  }

  private record Asked<W, F>(W wanted, Consumer<F> told) {}

  Gathering(Batches<W, F> batches) {
    this.batches = batches;
  }

  /** Has something read; called back once, in no caller's thread context. */
  void read(String index, W wanted, Consumer<F> told) {
    synchronized (waiting) {
      Queue<Asked<W, F>> others = waiting.get(index);
      if (others != null) {
        others.add(new Asked<>(wanted, told));
        return;
      }
      waiting.put(index, new ArrayDeque<>(List.of(new Asked<>(wanted, told))));
    }
    readNext(index);
  }

  private void readNext(String index) {
    List<Asked<W, F>> batch = new ArrayList<>();
    synchronized (waiting) {
      Queue<Asked<W, F>> asked = waiting.get(index);
      while (batch.size() < MOST && !asked.isEmpty()) {
        batch.add(asked.remove());
      }
      if (batch.isEmpty()) {
        waiting.remove(index);
        return;
      }
    }
    batches.read(
        index,
        batch.stream().map(Asked::wanted).toList(),
        found -> {
          readNext(index);
          tell(batch, found);
        });
  }

  /** Tells each, whatever the others throw. */
  private void tell(List<Asked<W, F>> batch, List<F> found) {
    RuntimeException first = null;
    for (int i = 0; i < batch.size(); i++) {
      try {
        batch.get(i).told.accept(found.get(i));
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
