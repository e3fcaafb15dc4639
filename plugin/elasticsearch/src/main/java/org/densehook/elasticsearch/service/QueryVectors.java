package org.densehook.elasticsearch.service;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.IntSupplier;
import org.elasticsearch.action.ActionListener;

/** Query vectors by text: a text in flight is encoded once, a small cache serves repeats. */
final class QueryVectors {

  // a long text is seldom asked twice, and would make the cache's size in bytes unknown
  private static final int LONGEST_CACHED = 1000;

  private final BiConsumer<String, ActionListener<float[]>> encode;
  private final IntSupplier capacity;
  private final Map<String, List<ActionListener<float[]>>> inFlight = new HashMap<>();
  private final LinkedHashMap<String, float[]> cache = new LinkedHashMap<>(16, 0.75f, true);
  private long served;

  QueryVectors(BiConsumer<String, ActionListener<float[]>> encode, IntSupplier capacity) {
    this.encode = encode;
    this.capacity = capacity;
  }

  /** The vector of a text, encoded unless it is known or on its way. */
  void get(String text, ActionListener<float[]> listener) {
    float[] known;
    synchronized (this) {
      known = cache.get(text);
      List<ActionListener<float[]>> waiting = inFlight.get(text);
      if (known != null || waiting != null) {
        served++;
      }
      if (known == null && waiting != null) {
        waiting.add(listener);
        return;
      }
      if (known == null) {
        inFlight.put(text, new ArrayList<>(List.of(listener)));
      }
    }
    if (known != null) {
      listener.onResponse(known.clone());
      return;
    }
    encode.accept(
        text,
        ActionListener.wrap(
            vector -> {
              for (ActionListener<float[]> each : arrived(text, vector)) {
                // one that throws must not cost the others their answer
                ActionListener.run(each, one -> one.onResponse(vector.clone()));
              }
            },
            failure -> ActionListener.onFailure(arrived(text, null), failure)));
  }

  private synchronized List<ActionListener<float[]>> arrived(String text, float[] vector) {
    if (vector != null && text.length() <= LONGEST_CACHED) {
      cache.put(text, vector);
    }
    while (cache.size() > capacity.getAsInt()) {
      cache.remove(cache.keySet().iterator().next()); // the one not asked for longest
    }
    List<ActionListener<float[]>> waiting = inFlight.remove(text);
    return waiting == null ? List.of() : waiting;
  }

  /** How many texts were not encoded, since their vector was known or on its way. */
  synchronized long served() {
    return served;
  }
}
