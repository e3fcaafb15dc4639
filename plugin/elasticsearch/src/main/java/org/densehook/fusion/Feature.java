package org.densehook.fusion;

import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.densehook.bundle.Blank;

/**
 * What is known of a query before its lists are fused; the four operations and square roots alone,
 * which every machine rounds alike.
 */
public enum Feature {
  /** The square root of the number of words. */
  LENGTH("length", seen -> Math.sqrt(words(seen.text()))),
  /** BM25's best score for each word of the query: rare words score high, by their idf. */
  RARITY("rarity", seen -> top(seen.words()) / Math.max(1, words(seen.text()))),
  /** The share of BM25's first ten hits that dense search has among its ten. */
  OVERLAP("overlap", Feature::overlap),
  /** By how much of BM25's best score the tenth is below it, or the last of fewer. */
  BM25_SPREAD("bm25_spread", seen -> spread(seen.words())),
  /** The same of dense search. */
  DENSE_SPREAD("dense_spread", seen -> spread(seen.vectors())),
  /** The similarity of the best hit. */
  DENSE_TOP("dense_top", seen -> top(seen.vectors()));

  /** Features by the name that a model gives them. */
  public static final Map<String, Feature> BY_NAME;

  private static final int FIRST = 10;

  static {
    Map<String, Feature> byName = new LinkedHashMap<>();
    for (Feature feature : values()) {
      byName.put(feature.label, feature);
    }
    BY_NAME = Collections.unmodifiableMap(byName);
  }

  /**
   * A query and its lists, best hits first.
   *
   * @param words BM25's list
   * @param vectors that of dense search
   */
  record Seen<K>(String text, List<Hit<K>> words, List<Hit<K>> vectors) {}

  private final String label;
  private final ToDoubleFunction<Seen<?>> function;

  Feature(String label, ToDoubleFunction<Seen<?>> function) {
    this.label = label;
    this.function = function;
  }

  /** The name that a model gives it. */
  public String label() {
    return label;
  }

  double of(Seen<?> seen) {
    return function.applyAsDouble(seen);
  }

  /** The words of a text: what stands between code points that show nothing. */
  private static int words(String text) {
    int words = 0;
    boolean within = false;
    for (int codePoint : text.codePoints().toArray()) {
      boolean shows = !Blank.showsNothing(codePoint);
      if (shows && !within) {
        words++;
      }
      within = shows;
    }
    return words;
  }

  private static double top(List<? extends Hit<?>> hits) {
    return hits.isEmpty() ? 0 : hits.get(0).score();
  }

  private static double spread(List<? extends Hit<?>> hits) {
    double top = top(hits);
    return top > 0 ? (top - hits.get(Math.min(FIRST, hits.size()) - 1).score()) / top : 0;
  }

  private static double overlap(Seen<?> seen) {
    Set<Object> first = new HashSet<>();
    seen.words().stream().limit(FIRST).forEach(hit -> first.add(hit.id()));
    long both =
        seen.vectors().stream().limit(FIRST).filter(hit -> first.contains(hit.id())).count();
    return (double) both / FIRST;
  }
}
