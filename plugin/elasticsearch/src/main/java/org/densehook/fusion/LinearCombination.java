package org.densehook.fusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Sum over the rankings of weight * normalised score.
 *
 * <p>With min-max and weights of 1 the scores are those of pyserini.fusion.normalize. A document
 * that is missing from a ranking gets no more from it than the ranking's last: 0, which with
 * min-max is what the last gets, and with the z-score, whose 0 is an average document's, the last's
 * own.
 */
public record LinearCombination() implements Fusion {

  public static final String NAME = "linear";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String formula() {
    return "sum of weight * normalised score";
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException also when a score is not a finite number
   */
  @Override
  public <K> List<FusedHit<K>> fuse(List<Ranking<K>> rankings) {
    List<double[]> scaledLists = new ArrayList<>(rankings.size());
    List<Part> absent = new ArrayList<>(rankings.size());
    for (Ranking<K> ranking : rankings) {
      double[] normalised = ranking.normalizer().normalise(ranking.scores());
      scaledLists.add(normalised);
      absent.add(ranking.normalizer().absent(ranking.weight(), normalised));
    }
    Merging<K> merging = new Merging<>(absent);
    for (int list = 0; list < rankings.size(); list++) {
      Ranking<K> ranking = rankings.get(list);
      double[] normalised = scaledLists.get(list);
      int rank = 0;
      for (Hit<K> hit : ranking.hits()) {
        double scaled = normalised[rank++];
        double given = ranking.weight() * scaled;
        merging.put(list, hit.id(), new Part(rank, hit.score(), scaled, ranking.weight(), given));
      }
    }
    return merging.fused();
  }
}
