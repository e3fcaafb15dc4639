package org.densehook.fusion;

import java.util.List;

/** A way to make one ranking of several. */
public sealed interface Fusion permits ReciprocalRankFusion, LinearCombination {

  /** The name a user gives it. */
  String name();

  /** What a score of it is, in one line, for an explanation. */
  String formula();

  /**
   * Every document of any of the rankings, with its fused score; a ranking that does not hold it
   * gives it nothing. They come in no order that means anything: callers sort by score, and know
   * best what to do with equal scores.
   *
   * @throws IllegalArgumentException when a ranking holds a document twice
   */
  <K> List<FusedHit<K>> fuse(List<Ranking<K>> rankings);
}
