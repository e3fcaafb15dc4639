package org.densehook.encode;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Which texts run together: sorted by length, cut by tokens, little padding. */
final class Packing {

  /** The share of a run that may be padding, where the graph knows padding. */
  static final double MAX_PADDING = 0.1;

  private Packing() {}

  /**
   * Groups text positions into runs of at most {@code tokensPerRun} padded tokens, as the Python
   * package does.
   *
   * <p>Every position is in exactly one run; within a run the padding is at most {@code maxPadding}
   * of its tokens, so that 0 keeps texts of unlike lengths apart. A text longer than the budget
   * runs alone.
   */
  static List<List<Integer>> pack(int[] lengths, int tokensPerRun, double maxPadding) {
    List<Integer> longestFirst =
        IntStream.range(0, lengths.length)
            .boxed()
            .sorted((a, b) -> Integer.compare(lengths[b], lengths[a]))
            .toList();
    List<List<Integer>> runs = new ArrayList<>();
    List<Integer> run = List.of();
    int longest = 0;
    int used = 0;
    for (int position : longestFirst) {
      int length = lengths[position];
      int area = (run.size() + 1) * longest;
      boolean fits = area <= tokensPerRun && area - (used + length) <= maxPadding * area;
      if (run.isEmpty() || !fits) {
        run = new ArrayList<>();
        runs.add(run);
        longest = length;
        used = 0;
      }
      run.add(position);
      used += length;
    }
    return runs;
  }
}
