package org.densehook.fusion;

import java.util.List;

/**
 * Sum over the rankings of weight * normalised score.
 *
 * <p>With min-max and weights of 1 the scores are those of pyserini.fusion.normalize. A document
 * that is missing from a ranking gets 0 from it: with min-max what the ranking's last gets, with
 * the z-score what an average one gets.
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
    Merging<K> merging = new Merging<>(rankings);
    for (int list = 0; list < rankings.size(); list++) {
      Ranking<K> ranking = rankings.get(list);
      double[] normalised = ranking.normalizer().normalise(ranking.scores());
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
