package org.densehook.chunk;

/** Looks for a place by halving, in the steps of Python's {@code bisect_left}. */
final class Halving {

  private Halving() {}

  /** Asks something of a place; may fail as the tokenizer does. */
  @FunctionalInterface
  interface Question {

    /** Whether it is so; where it is, it is so of what comes behind. */
    boolean of(int place) throws Exception;
  }

  /** How many places there are before the first of which it is so. */
  static int before(int[] places, Question isSo) throws Exception {
    int low = 0;
    int high = places.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (isSo.of(places[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
