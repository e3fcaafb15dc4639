package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.search.join.ScoreMode;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.compat.Knn;
import org.densehook.elasticsearch.search.DenseQueryBuilder.Encoded;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.TextRule;
import org.densehook.encode.Content;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryBuilders;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.search.vectors.KnnVectorQueryBuilder;
import org.elasticsearch.search.vectors.RescoreVectorBuilder;
import org.junit.jupiter.api.Test;

/** A dense query over indices of several encoders asks each index by the vector of its own. */
final class DenseBridgeTest {

  private static final QueryBuilder SIBLING = QueryBuilders.termQuery("year", 2020);

  private static EmbeddedField by(String encoder, String fingerprint) {
    return new EmbeddedField("v", List.of("body"), encoder, fingerprint, false);
  }

  private static List<FieldEncoder> encoders(Map<String, EmbeddedField> stated) {
    return FieldEncoder.of(new TreeMap<>(stated));
  }

  private static DenseQueryBuilder query() {
    DenseOptions options = new DenseOptions(7, 70, true, 0.5f, new RescoreVectorBuilder(2f), null);
    DenseQueryBuilder query =
        new DenseQueryBuilder(() -> null, "v", new Content.Text("cats"), options);
    query.stands(List.of(SIBLING), 10, false);
    return query.boost(3).queryName("named");
  }

  private static QueryBuilder knn(float... vector) {
    FieldEncoder only = encoders(Map.of("a", by("old", "f"))).get(0);
    return query().neighbours(List.of(new Encoded(only, vector)));
  }

  /** As it is within a query that has its boost and its name. */
  private static QueryBuilder within(QueryBuilder knn) {
    return knn.boost(1).queryName(null);
  }

  @Test
  void indicesOfOneEncoderAreAskedByOneKnnQuery() {
    List<FieldEncoder> encoders = encoders(Map.of("a", by("old", "f"), "b", by("renamed", "f")));
    assertEquals(List.of(new FieldEncoder(by("old", "f"), List.of("a", "b"), true)), encoders);
    QueryBuilder made =
        query().neighbours(List.of(new Encoded(encoders.get(0), new float[] {1, 2})));
    assertEquals(knn(1, 2), made);
    assertEquals(3f, made.boost());
    assertEquals("named", made.queryName());
    assertEquals(List.of(SIBLING), ((KnnVectorQueryBuilder) made).filterQueries());
  }

  @Test
  void indicesOfSeveralAreAskedByOneEachWithAllThatItWasTold() {
    List<FieldEncoder> encoders =
        encoders(Map.of("a", by("old", "f"), "b", by("new", "g"), "far:c", by("old", "f")));
    QueryBuilder made =
        query()
            .neighbours(
                List.of(
                    new Encoded(encoders.get(0), new float[] {1, 2}),
                    new Encoded(encoders.get(1), new float[] {3, 4, 5})));
    assertEquals(
        new BoolQueryBuilder()
            .should(
                new BoolQueryBuilder()
                    .must(within(knn(1, 2)))
                    .filter(QueryBuilders.termsQuery("_index", "a", "far:c")))
            .should(
                new BoolQueryBuilder()
                    .must(within(knn(3, 4, 5)))
                    .filter(QueryBuilders.termsQuery("_index", "b")))
            .boost(3)
            .queryName("named"),
        made);
  }

  @Test
  void aFieldOfChunksIsSearchedInItsNestedObjects() {
    EmbeddedField chunked =
        new EmbeddedField(
            "p.v",
            TextRule.joining(List.of("t")),
            "old",
            "f",
            FieldFormat.ofType("dense_vector"),
            false,
            new ChunkRule("tokens", 64, 0, 9),
            null);
    FieldEncoder encoder = encoders(Map.of("a", chunked)).get(0);
    List<Encoded> vectors = List.of(new Encoded(encoder, new float[] {1, 2}));
    NestedQueryBuilder best =
        new NestedQueryBuilder("p", within(knn(1, 2)), ScoreMode.Max).ignoreUnmapped(true);
    QueryBuilder made = query().neighbours(vectors);
    assertEquals(best.boost(3).queryName("named"), made);
    DenseQueryBuilder inNested = query();
    inNested.stands(List.of(SIBLING), 10, true);
    assertEquals(knn(1, 2), inNested.neighbours(vectors));
  }

  @Test
  void anEncoderThatFailsIsNamedWithAnIndexWhereThereAreSeveral() {
    Exception failure = new ResourceNotFoundException("encoder [old] is not on node [n]");
    Map<String, EmbeddedField> both = Map.of("a", by("old", "f"), "b", by("new", "g"));
    Exception named = encoders(both).get(0).named(failure);
    assertEquals("field [v] of index [a]: encoder [old] is not on node [n]", named.getMessage());
    assertEquals(RestStatus.NOT_FOUND, ((ElasticsearchStatusException) named).status());
    assertSame(failure, encoders(Map.of("a", by("old", "f"))).get(0).named(failure));
  }

  @Test
  void documentsOfChunksAreFoundByTheirBestAndScoredByAll() {
    ChunkRule rule = ChunkRule.parse(Map.of());
    EmbeddedField chunked =
        new EmbeddedField(
            "p.v",
            TextRule.joining(List.of("body")),
            "old",
            "f",
            FieldFormat.ofType("dense_vector"),
            false,
            rule,
            null);
    FieldEncoder one = encoders(Map.of("a", chunked, "b", by("new", "g"))).get(0);
    PassageScoring scoring =
        new PassageScoring(PassageScoring.Score.SUM, null, SectionWeights.NONE);
    DenseOptions options = new DenseOptions(7, null, true, null, null, scoring);
    float[] vector = {1, 2};
    DenseQueryBuilder query =
        new DenseQueryBuilder(() -> null, "p.v", new Content.Text("cats"), options).by(one);
    query.stands(List.of(), 10, false);
    QueryBuilder made = query.neighbours(List.of(new Encoded(one, vector)));
    QueryBuilder nearest =
        Knn.query("p.v", vector, 100, 100, null, null)
            .addFilterQueries(List.of(one.inItsIndices()));
    QueryBuilder best = new NestedQueryBuilder("p", nearest, ScoreMode.Max).ignoreUnmapped(true);
    assertEquals(new PassagesQueryBuilder(best, "p", "p.v", vector, scoring), made);
  }
}
