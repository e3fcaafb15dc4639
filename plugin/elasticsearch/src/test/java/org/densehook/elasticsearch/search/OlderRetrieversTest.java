package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.encode.Content;
import org.densehook.fusion.ReciprocalRankFusion;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryBuilders;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.junit.jupiter.api.Test;

/** What retrievers cannot do before Elasticsearch 8.19 and 9.1 is refused by name, not left out. */
final class OlderRetrieversTest {

  private static final boolean OLDER =
      Arrays.stream(CompoundRetrieverBuilder.class.getDeclaredMethods())
          .noneMatch(method -> method.getName().equals("doRewrite"));

  /** A retriever of several that is not ours. */
  private static final class Foreign extends CompoundRetrieverBuilder<Foreign> {

    Foreign(QueryBuilder query) {
      super(List.of(new RetrieverSource(new StandardRetrieverBuilder(query), null)), 10);
    }

    @Override
    public String getName() {
      return "foreign";
    }

    @Override
    protected Foreign clone(List<RetrieverSource> children, List<QueryBuilder> filters) {
      throw new AssertionError();
    }

    @Override
    protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
      throw new AssertionError();
    }

    @Override
    protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
      for (RetrieverSource child : innerRetrievers) {
        builder.field("child", child.retriever());
      }
    }
  }

  private static List<DenseQueryBuilder> found(QueryBuilder query) {
    return new DensePlaces().find(new SearchSourceBuilder().retriever(new Foreign(query)));
  }

  @Test
  void aDenseQueryInARetrieverThatShowsNoChildrenIsRefused() {
    DenseOptions options = new DenseOptions(null, null, true, null, null, null);
    QueryBuilder dense = new DenseQueryBuilder(() -> null, "v", new Content.Text("cats"), options);
    if (!OLDER) {
      assertEquals(List.of(dense), found(dense));
      return;
    }
    String refusal = assertThrows(IllegalArgumentException.class, () -> found(dense)).getMessage();
    assertTrue(
        refusal.startsWith("[dense] inside of retriever [foreign] needs Elasticsearch 8.19 or 9.1"),
        refusal);
  }

  @Test
  void aTextThatOnlySpeaksOfOneIsNot() {
    String text = "\"" + DenseQueryBuilder.NAME + "\":{";
    assertEquals(List.of(), found(QueryBuilders.matchQuery("body", text)));
  }

  @Test
  void aShorthandIsRefusedWhereNoRetrieverBecomesAnother() {
    HybridShorthand shorthand =
        new HybridShorthand(new Content.Text("cats"), List.of(), null, false);
    ActionRequestValidationException refusal =
        new HybridRetrieverBuilder(
                new ReciprocalRankFusion(60), List.of(), List.of(), shorthand, 100, () -> null)
            .validate(new SearchSourceBuilder(), null, false, false);
    if (!OLDER) {
      assertNull(refusal);
      return;
    }
    assertEquals(
        List.of("[query] of [hybrid] needs Elasticsearch 8.19 or 9.1; give [retrievers] here"),
        refusal.validationErrors());
  }
}
