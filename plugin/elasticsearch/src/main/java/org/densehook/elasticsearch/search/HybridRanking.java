package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.fusion.FusedHit;
import org.densehook.fusion.Fusion;
import org.densehook.fusion.Hit;
import org.densehook.fusion.LearnedWeights;
import org.densehook.fusion.LinearCombination;
import org.densehook.fusion.Part;
import org.densehook.fusion.Ranking;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rank.RankDoc.RankKey;

/**
 * The one ranking that is made of what the inner retrievers found.
 *
 * @param lists how each takes part, in their order
 * @param learned what weighs the two lists there are then, or null
 */
record HybridRanking(Fusion fusion, List<HybridList> lists, LearnedQuery learned) {

  /**
   * Fuses.
   *
   * @param results of the inner retrievers, best first
   * @param size how many documents it has at most
   * @param explain whether its documents know how their scores came about
   */
  RankDoc[] of(List<ScoreDoc[]> results, int size, boolean explain) {
    List<List<Hit<RankKey>>> hits = new ArrayList<>(results.size());
    for (int list = 0; list < results.size(); list++) {
      HybridList given = lists.get(list);
      hits.add(
          Arrays.stream(results.get(list))
              .filter(doc -> given.takes(doc.score))
              .map(this::hit)
              .toList());
    }
    double[] weights = lists.stream().mapToDouble(HybridList::weight).toArray();
    String formula = fusion.formula();
    if (learned != null) {
      LearnedWeights.Weighed weighed =
          learned.weights().weigh(learned.text(), hits.get(0), hits.get(1));
      weights = new double[] {weighed.words(), weighed.share()};
      formula += ", " + weighed.told();
    }
    return ranked(rankings(hits, weights), formula, size, explain);
  }

  private List<Ranking<RankKey>> rankings(List<List<Hit<RankKey>>> hits, double[] weights) {
    List<Ranking<RankKey>> rankings = new ArrayList<>(hits.size());
    for (int list = 0; list < hits.size(); list++) {
      rankings.add(new Ranking<>(hits.get(list), weights[list], lists.get(list).normalizer()));
    }
    return rankings;
  }

  private RankDoc[] ranked(
      List<Ranking<RankKey>> rankings, String formula, int size, boolean explain) {
    List<FusedHit<RankKey>> fused = fusion.fuse(rankings);
    // Lucene takes no score below 0, which the sum of z-scores can be. Raising all of them keeps
    // their order and their distances.
    double lowest = fused.stream().mapToDouble(FusedHit::score).min().orElse(0);
    double raised = lowest < 0 ? -lowest : 0;
    RankDoc[] docs =
        fused.stream()
            .map(hit -> doc(hit, raised, explain ? formula : null))
            .sorted() // by score, then by shard and document, as the shards will order them
            .limit(size)
            .toArray(RankDoc[]::new);
    for (int place = 0; place < docs.length; place++) {
      docs[place].rank = place + 1;
    }
    return docs;
  }

  private Hit<RankKey> hit(ScoreDoc doc) {
    // where ranks alone count, a list that is sorted by something else has no scores
    float score = fusion instanceof LinearCombination ? finite(doc.score) : doc.score;
    return new Hit<>(new RankKey(doc.doc, doc.shardIndex), score);
  }

  /** With a formula it knows how its score came about. */
  private RankDoc doc(FusedHit<RankKey> hit, double raised, String formula) {
    float score = finite((float) (hit.score() + raised));
    int doc = hit.id().doc();
    int shard = hit.id().shardIndex();
    return formula != null
        ? new FusedRankDoc(doc, score, shard, explained(hit, raised, formula))
        : new RankDoc(doc, score, shard); // which nodes without the plugin know too
  }

  /** Boosts can take a score past what a float holds; the largest float still sorts first. */
  private static float finite(float score) {
    return Float.isNaN(score) ? 0f : Math.min(score, Float.MAX_VALUE);
  }

  private FusedScore explained(FusedHit<RankKey> hit, double raised, String formula) {
    boolean normalised = fusion instanceof LinearCombination;
    List<FusedScore.FromList> parts = new ArrayList<>(lists.size());
    for (int list = 0; list < hit.parts().size(); list++) {
      HybridList given = lists.get(list);
      Part part = hit.parts().get(list);
      parts.add(
          new FusedScore.FromList(
              given.label(), normalised ? given.normalizer().label() : "", part));
    }
    return new FusedScore(formula, hit.score(), raised, parts);
  }
}
