package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.fusion.FusedHit;
import org.densehook.fusion.Fusion;
import org.densehook.fusion.Hit;
import org.densehook.fusion.LinearCombination;
import org.densehook.fusion.Part;
import org.densehook.fusion.Ranking;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rank.RankDoc.RankKey;

/**
 * The one ranking that is made of what the inner retrievers found.
 *
 * @param lists how each takes part, in their order
 */
record HybridRanking(Fusion fusion, List<HybridList> lists) {

  /**
   * Fuses.
   *
   * @param results of the inner retrievers, best first
   * @param size how many documents it has at most
   * @param explain whether its documents know how their scores came about
   */
  RankDoc[] of(List<ScoreDoc[]> results, int size, boolean explain) {
    List<Ranking<RankKey>> rankings = new ArrayList<>(results.size());
    for (int list = 0; list < results.size(); list++) {
      List<Hit<RankKey>> hits = Arrays.stream(results.get(list)).map(this::hit).toList();
      HybridList given = lists.get(list);
      rankings.add(new Ranking<>(hits, given.weight(), given.normalizer()));
    }
    List<FusedHit<RankKey>> fused = fusion.fuse(rankings);
    // Lucene takes no score below 0, which the sum of z-scores can be. Raising all of them keeps
    // their order and their distances.
    double lowest = fused.stream().mapToDouble(FusedHit::score).min().orElse(0);
    double raised = lowest < 0 ? -lowest : 0;
    RankDoc[] docs =
        fused.stream()
            .map(hit -> doc(hit, raised, explain))
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

  private RankDoc doc(FusedHit<RankKey> hit, double raised, boolean explain) {
    float score = finite((float) (hit.score() + raised));
    int doc = hit.id().doc();
    int shard = hit.id().shardIndex();
    return explain
        ? new FusedRankDoc(doc, score, shard, explained(hit, raised))
        : new RankDoc(doc, score, shard); // which nodes without the plugin know too
  }

  /** Boosts can take a score past what a float holds; the largest float still sorts first. */
  private static float finite(float score) {
    return Float.isNaN(score) ? 0f : Math.min(score, Float.MAX_VALUE);
  }

  private FusedScore explained(FusedHit<RankKey> hit, double raised) {
    boolean normalised = fusion instanceof LinearCombination;
    List<FusedScore.FromList> parts = new ArrayList<>(lists.size());
    for (int list = 0; list < hit.parts().size(); list++) {
      HybridList given = lists.get(list);
      Part part = hit.parts().get(list);
      parts.add(
          new FusedScore.FromList(
              given.label(), normalised ? given.normalizer().label() : "", part));
    }
    return new FusedScore(fusion.formula(), hit.score(), raised, parts);
  }
}
