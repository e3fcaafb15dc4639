package org.densehook.fusion;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gathers the parts of each document and sums them. */
final class Merging<K> {

  private final List<Part> absent;
  private final Map<K, Part[]> parts = new LinkedHashMap<>();

  /**
   * @param absent for each ranking the part of a document that it does not hold
   */
  Merging(List<Part> absent) {
    this.absent = absent;
  }

  /** Where a ranking gives nothing to a document that it does not hold. */
  static <K> Merging<K> of(List<Ranking<K>> rankings) {
    return new Merging<>(rankings.stream().map(ranking -> Part.absent(ranking.weight())).toList());
  }

  void put(int list, K id, Part part) {
    Part[] row = parts.computeIfAbsent(id, missing -> absent.toArray(Part[]::new));
    if (row[list].present()) {
      throw new IllegalArgumentException("ranking " + list + " holds document " + id + " twice");
    }
    row[list] = part;
  }

  List<FusedHit<K>> fused() {
    List<FusedHit<K>> hits = new ArrayList<>(parts.size());
    parts.forEach((id, row) -> hits.add(new FusedHit<>(id, compensatedSum(row), List.of(row))));
    return hits;
  }

  /**
   * Adds up in the order of the rankings, with Kahan's compensation (1965, CACM 8(1), page 40).
   *
   * <p>Pandas sums groups this way, and so pyserini.fusion: with three lists and more a plain sum
   * can differ in the last bit, and that bit decides whether two documents are tied.
   */
  private static double compensatedSum(Part[] row) {
    double total = 0;
    double compensation = 0;
    for (Part part : row) {
      if (part.counts()) {
        double corrected = part.contribution() - compensation;
        double longer = total + corrected;
        compensation = (longer - total) - corrected;
        total = longer;
      }
    }
    return total;
  }
}
