package org.densehook.elasticsearch.service;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;

/** Query vectors by text: a text in flight is encoded once, a small cache serves repeats. */
final class QueryVectors {

  // a long text is seldom asked twice, and would make the cache's size in bytes unknown
  private static final int LONGEST_CACHED = 1000;

  // and so would one of many numbers, as there are where each of its tokens has a vector
  private static final int MOST_NUMBERS = 65_536;

  private final Encode encode;
  private final IntSupplier capacity;
  private final Map<Content, Flight> inFlight = new HashMap<>();
  private final LinkedHashMap<Content, float[]> cache = new LinkedHashMap<>(16, 0.75f, true);
  private long served;

  /** Has a text encoded. */
  @FunctionalInterface
  interface Encode {

    /**
     * Calls the listener, once, perhaps at once; not when it was called off before.
     *
     * @return calls it off, so far as that is still possible
     */
    Runnable encode(Content query, ActionListener<float[]> listener);
  }

  /** A text on its way, and those that wait for it. */
  private static final class Flight {
    private final Set<ActionListener<float[]>> waiting = new LinkedHashSet<>();
    private Runnable callOff; // null until the text is on its way
  }

  QueryVectors(Encode encode, IntSupplier capacity) {
    this.encode = encode;
    this.capacity = capacity;
  }

  /** The vector of a query, encoded unless it is known or on its way. */
  void get(Content query, ActionListener<float[]> listener) {
    float[] known;
    Flight flight = null;
    synchronized (this) {
      known = cache.get(query);
      Flight others = inFlight.get(query);
      if (known != null || others != null) {
        served++;
      }
      if (known == null && others != null) {
        others.waiting.add(listener);
        return;
      }
      if (known == null) {
        flight = new Flight();
        flight.waiting.add(listener);
        inFlight.put(query, flight);
      }
    }
    if (known != null) {
      listener.onResponse(known.clone());
    } else {
      start(query, flight);
    }
  }

  private void start(Content query, Flight flight) {
    Runnable callOff =
        encode.encode(
            query,
            ActionListener.wrap(
                vector -> {
                  for (ActionListener<float[]> each : arrived(query, flight, vector)) {
                    // one that throws must not cost the others their answer
                    ActionListener.run(each, one -> one.onResponse(vector.clone()));
                  }
                },
                failure -> ActionListener.onFailure(arrived(query, flight, null), failure)));
    boolean deserted;
    synchronized (this) {
      flight.callOff = callOff;
      deserted = flight.waiting.isEmpty();
    }
    if (deserted) {
      callOff.run();
    }
  }

  /** One that asked waits no longer; a text that nobody waits for is not encoded. */
  void leave(Content query, ActionListener<float[]> listener) {
    Runnable callOff;
    synchronized (this) {
      Flight flight = inFlight.get(query);
      if (flight == null || !flight.waiting.remove(listener) || !flight.waiting.isEmpty()) {
        return;
      }
      inFlight.remove(query); // who asks now begins a flight of its own
      callOff = flight.callOff;
    }
    if (callOff != null) {
      callOff.run();
    }
  }

  private synchronized List<ActionListener<float[]>> arrived(
      Content query, Flight flight, float[] vector) {
    if (vector != null && query.length() <= LONGEST_CACHED && vector.length <= MOST_NUMBERS) {
      cache.put(query, vector);
    }
    while (cache.size() > capacity.getAsInt()) {
      cache.remove(cache.keySet().iterator().next()); // the one not asked for longest
    }
    inFlight.remove(query, flight);
    List<ActionListener<float[]>> waiting = List.copyOf(flight.waiting);
    flight.waiting.clear();
    return waiting;
  }

  /** How many texts were not encoded, since their vector was known or on its way. */
  synchronized long served() {
    return served;
  }
}
