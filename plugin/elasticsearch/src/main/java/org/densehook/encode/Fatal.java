package org.densehook.encode;

import java.util.List;

/** Tells an exhausted heap, which no process should outlive, from what one text or run costs. */
public final class Fatal {

  // HotSpot's own words; a native library that lacks memory throws the same class with others, and
  // so does a direct buffer, of which the next run may find enough
  private static final List<String> HEAP =
      List.of(
          "Java heap space",
          "GC overhead limit exceeded",
          "Metaspace",
          "Compressed class space",
          "Requested array size exceeds VM limit");

  private Fatal() {}

  /** Whether a failure is the JVM's, not that of the text or the encoder. */
  public static boolean is(Throwable failure) {
    return failure instanceof OutOfMemoryError
        && failure.getMessage() != null
        && HEAP.stream().anyMatch(failure.getMessage()::startsWith);
  }
}
