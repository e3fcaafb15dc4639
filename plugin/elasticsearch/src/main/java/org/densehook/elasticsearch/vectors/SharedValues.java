package org.densehook.elasticsearch.vectors;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.WeakHashMap;

/** Gives one object for all that are equal, for as long as somebody has it. */
final class SharedValues<T> {

  private final Map<T, WeakReference<T>> known = new WeakHashMap<>();

  synchronized T of(T value) {
    WeakReference<T> reference = known.get(value);
    T shared = reference == null ? null : reference.get();
    if (shared == null) {
      known.put(value, new WeakReference<>(value));
      return value;
    }
    return shared;
  }
}
