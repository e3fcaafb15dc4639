package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.xcontent.XContentType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  private static void require(String field, String mapping) {
    IndexVectors vectors =
        new IndexVectors(
            XContentHelper.convertToMap(
                XContentType.JSON.xContent(), mapping.replace('\'', '"'), true),
            false);
    List<SearchedIndex> indices =
        List.of(new SearchedIndex("i", vectors, () -> List.of("*"), each -> true));
    RerankOrder order =
        new RerankOrder("e", "water", List.of(field), null, 0, RerankOrder.OnFailure.ERROR);
    Reranking reranking = new Reranking(order, null, null, false);
    reranking.requireFields(indices);
    reranking.requireSource(indices);
  }

  @Test
  void aTextThatCanBeReadIsScored() {
    require("body", "{'properties':{'body':{'type':'text'}}}");
    require("n", "{'properties':{'n':{'type':'integer'}}}");
    require("body", "{'_source':{'excludes':['v']},'properties':{'body':{'type':'text'}}}");
    require("body", "{'_source':{'mode':'synthetic'},'properties':{'body':{'type':'text'}}}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "f | {'properties':{'g':{'type':'text'}}} | [field] names [f], which the mapping of [i]"
            + " has",
        "f | {'properties':{'f':{'type':'binary'}}} | [field] names [f], which index [i] maps as"
            + " [binary]: it holds no text; name fields with the documents' text",
        "f | {'properties':{'f':{'type':'dense_vector'}}} | [field] names [f], which index [i]"
            + " maps",
        "f | {'properties':{'f':{'properties':{'g':{'type':'text'}}}}} | maps as [object]: it"
            + " holds",
        "f | {'properties':{'f':{'type':'text'},'p':{'type':'binary','copy_to':'f'}}} |"
            + " [field] names [f], whose values are those of [p], which index [i] maps as [binary]",
        "f | {'_source':{'enabled':false},'properties':{'f':{'type':'text'}}} | reads texts from"
            + " _source, and index [i] does not keep [f] there; name fields that it",
        "f | {'_source':{'excludes':['f']},'properties':{'f':{'type':'text'}}} | not keep [f]"
            + " there",
        "f.r | {'_source':{'excludes':['f']},'properties':{'f':{'type':'text','fields':{'r':"
            + "{'type':'keyword'}}}}} | not keep [f] there",
      })
  void whatHoldsNoTextOrKeepsNoneIsRefusedInALine(String field, String mapping, String said) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> require(field, mapping)).getMessage();
    assertTrue(message.startsWith("[rerank] ") && message.contains(said), message);
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
