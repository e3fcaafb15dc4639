package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.apache.lucene.search.Explanation;
import org.densehook.fusion.Part;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;

/** What travels to a shard comes back as it was, and explains itself. */
final class FusedRankDocTest {

  private static final FusedScore SCORE =
      new FusedScore(
          "sum of weight * normalised score",
          0.75,
          0.25,
          List.of(
              new FusedScore.FromList("standard", "minmax", new Part(3, 9.5, 0.375, 2, 0.75)),
              new FusedScore.FromList("knn", "minmax", Part.absent(1))));

  /** Of a list that has no scores, and of one that the document is absent from. */
  private static final FusedScore ZSCORES =
      new FusedScore(
          "a formula",
          -1.5,
          1.5,
          List.of(
              new FusedScore.FromList("by date", "", new Part(1, Double.NaN, Double.NaN, 1, 0)),
              new FusedScore.FromList("knn", "zscore", new Part(0, Double.NaN, -1.5, 1, -1.5))));

  private static FusedRankDoc doc(FusedScore parts) {
    FusedRankDoc doc = new FusedRankDoc(7, 1f, 2, parts);
    doc.rank = 4;
    return doc;
  }

  @Test
  void itComesBackFromTheWireAsItWas() throws IOException {
    for (FusedRankDoc doc : List.of(doc(SCORE), doc(ZSCORES))) {
      try (BytesStreamOutput out = new BytesStreamOutput()) {
        doc.writeTo(out);
        try (StreamInput in = out.bytes().streamInput()) {
          FusedRankDoc read = new FusedRankDoc(in);
          assertEquals(doc, read);
          assertEquals(doc.hashCode(), read.hashCode());
          assertEquals(-1, in.read());
        }
      }
    }
  }

  @Test
  void partsMakeADifference() {
    assertNotEquals(doc(SCORE), doc(ZSCORES));
    assertNotEquals(doc(SCORE), new FusedRankDoc(7, 1f, 2, SCORE)); // has no rank
  }

  @Test
  void itExplainsEachListAboveItsSource() {
    Explanation bm25 = Explanation.match(9.5f, "bm25");
    Explanation knn = Explanation.noMatch("not near");
    Explanation explained =
        doc(SCORE).explain(new Explanation[] {bm25, knn}, new String[] {null, null});
    assertEquals(1f, explained.getValue());
    assertEquals(
        "fused rank [4], sum [0.75] raised by [0.25] so that the lowest of all is 0: sum of weight"
            + " * normalised score, over [2] lists",
        explained.getDescription());
    Explanation first = explained.getDetails()[0];
    assertEquals(0.75, first.getValue());
    assertEquals(
        "list [0] [standard]: rank [3], score [9.5], normalised by minmax to [0.375], weight [2.0],"
            + " contribution [0.75]",
        first.getDescription());
    assertEquals(bm25, first.getDetails()[0]);
    Explanation second = explained.getDetails()[1];
    assertEquals(
        "list [1] [knn]: did not return this document; weight [1.0], contribution [0.0]",
        second.getDescription());
    assertEquals(knn, second.getDetails()[0]);
  }

  @Test
  void whatHasNoScoreShowsNoneAndWhatCountsAsTheLowestSaysSo() {
    Explanation[] details = doc(ZSCORES).explain(new Explanation[0], new String[0]).getDetails();
    assertEquals(
        "list [0] [by date]: rank [1], weight [1.0], contribution [0.0]",
        details[0].getDescription());
    assertEquals(
        "list [1] [knn]: did not return this document, counts as its lowest, normalised by zscore"
            + " to [-1.5], weight [1.0], contribution [-1.5]",
        details[1].getDescription());
  }

  @Test
  void itIsShownWithItsParts() throws IOException {
    try (XContentBuilder builder = JsonXContent.contentBuilder()) {
      builder.startObject();
      doc(SCORE).toXContent(builder, null);
      String json = Strings.toString(builder.endObject());
      assertTrue(json.contains("\"contribution\":0.75"), json);
      assertTrue(json.contains("{\"list\":\"knn\",\"weight\":1.0,\"contribution\":0.0}"), json);
    }
  }
}
