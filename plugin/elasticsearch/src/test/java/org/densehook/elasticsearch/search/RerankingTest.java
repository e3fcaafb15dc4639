package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.search.rank.RankDoc;
import org.junit.jupiter.api.Test;

class RerankingTest {

  private static float[] scores(float... given) {
    ScoreDoc[] docs = new ScoreDoc[given.length];
    for (int i = 0; i < docs.length; i++) {
      docs[i] = new ScoreDoc(i, given[i], 0);
    }
    RankDoc[] ordered = Reranking.inTheirOrder(docs, 3);
    float[] found = new float[ordered.length];
    for (int i = 0; i < found.length; i++) {
      assertEquals(i + 1, ordered[i].rank);
      found[i] = ordered[i].score;
    }
    return found;
  }

  @Test
  void scoresThatFallStayAndOthersAreMadeOfRanks() {
    assertArrayEquals(new float[] {3, 2, 2}, scores(3, 2, 2, 1));
    assertArrayEquals(new float[] {1, 0.5f, 1 / 3f}, scores(1, 2, 3));
    assertArrayEquals(new float[] {1, 0.5f}, scores(Float.NaN, Float.NaN));
    assertArrayEquals(new float[0], scores());
  }

  @Test
  void everyScoreIsAboveZeroAndInItsOrder() {
    float[] logits = {-80, -11.5f, -0.001f, 0, 0.001f, 11.5f};
    float before = 0;
    for (float logit : logits) {
      float shown = Reranking.positive(logit, false);
      assertTrue(shown > before, logit + " became " + shown);
      before = shown;
    }
    assertEquals(0.25f, Reranking.positive(0.25f, true));
    assertTrue(Reranking.positive(0, true) > 0);
  }

  @Test
  void whatADocumentKnowsComesBackFromTheWireAsItWas() throws IOException {
    for (float score : Arrays.asList(-3.5f, Float.NaN)) {
      RerankedScore told = new RerankedScore("tiny", score, 2, 7, 1.5f);
      RerankedRankDoc doc = new RerankedRankDoc(1, 2f, 0, told);
      try (BytesStreamOutput out = new BytesStreamOutput()) {
        doc.writeTo(out);
        try (StreamInput in = out.bytes().streamInput()) {
          assertEquals(doc, new RerankedRankDoc(in));
          assertEquals(-1, in.read());
        }
      }
    }
  }
}
