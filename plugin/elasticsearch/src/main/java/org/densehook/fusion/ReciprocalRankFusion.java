package org.densehook.fusion;

import java.util.List;

/**
 * Sum over the rankings of weight * 1 / (rankConstant + rank).
 *
 * <p>Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion Outperforms Condorcet and
 * Individual Rank Learning Methods", where every weight is 1 and the constant 60; with these the
 * scores are those of pyserini.fusion.
 *
 * @param rankConstant how little the first ranks stand out; at least 0
 */
public record ReciprocalRankFusion(int rankConstant) implements Fusion {

  public static final String NAME = "rrf";

  public ReciprocalRankFusion {
    if (rankConstant < 0) {
      throw new IllegalArgumentException(
          "rank_constant is " + rankConstant + "; it must be at least 0");
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String formula() {
    return "sum of weight / (rank_constant [" + rankConstant + "] + rank)";
  }

  @Override
  public <K> List<FusedHit<K>> fuse(List<Ranking<K>> rankings) {
    Merging<K> merging = Merging.of(rankings);
    for (int list = 0; list < rankings.size(); list++) {
      Ranking<K> ranking = rankings.get(list);
      int rank = 0;
      for (Hit<K> hit : ranking.hits()) {
        rank++;
        double given = ranking.weight() * (1 / ((double) rankConstant + rank));
        merging.put(
            list, hit.id(), new Part(rank, hit.score(), Double.NaN, ranking.weight(), given));
      }
    }
    return merging.fused();
  }
}
