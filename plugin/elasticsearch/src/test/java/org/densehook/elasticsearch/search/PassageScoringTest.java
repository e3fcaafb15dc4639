package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.lucene.search.join.ScoreMode;
import org.densehook.encode.Content;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.NamedWriteableAwareStreamInput;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryBuilders;
import org.elasticsearch.search.SearchModule;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What makes a document's score is read, said again, sent to shards, and reckoned. */
final class PassageScoringTest {

  private static final List<Float> SCORES = List.of(0.25f, 1f, 0.5f);

  @BeforeAll
  static void configureLogging() {
    LogConfigurator.configureESLogging(); // without it a failure cannot be made
  }

  private static PassageScoring parse(String json) throws IOException {
    try (XContentParser parser =
        JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, json)) {
      parser.nextToken();
      return PassageScoring.parse(parser);
    }
  }

  @Test
  void scoresAreMadeOfThoseOfChunks() throws IOException {
    Map<String, Double> expected =
        Map.of(
            "{}", 1.0,
            "{\"score\": \"max\"}", 1.0,
            "{\"score\": \"first\"}", 0.25,
            "{\"score\": \"sum\"}", 1.75,
            "{\"score\": \"sum\", \"best\": 2}", 1.5,
            "{\"score\": \"mean\", \"best\": 2}", 0.75,
            "{\"score\": \"mean\", \"best\": 9}", 1.75 / 3);
    for (Map.Entry<String, Double> each : expected.entrySet()) {
      assertEquals(each.getValue(), parse(each.getKey()).of(SCORES), 1e-9, each.getKey());
    }
  }

  @Test
  void onlyTheBestChunkByItselfIsWhatKnnScores() throws IOException {
    assertTrue(parse("{}").isOfBestChunk());
    assertFalse(parse("{\"score\": \"first\"}").isOfBestChunk());
    assertFalse(parse("{\"other\": 0.5}").isOfBestChunk());
    assertFalse(parse("{\"sections\": {\"facts\": 2}}").isOfBestChunk());
  }

  @Test
  void whatCannotBeIsRefusedInALine() {
    Map<String, String> refused =
        Map.of(
            "{\"score\": \"median\"}",
            "[score] of [passages] is [median]; it is one of [max, first, sum, mean]",
            "{\"score\": \"sum\", \"best\": 0}",
            "[best] of [passages] is [0]; at least 1",
            "{\"best\": 2}",
            "[best] of [passages] is [2]; it is for [score] [sum] and [mean]; leave it out for max",
            "{\"sections\": {\"facts\": -2}}",
            "[sections] of [passages] is [-2.0]; a weight is a number of at least 0",
            "{\"other\": \"Infinity\"}",
            "[other] of [passages] is [Infinity]; a weight is a number of at least 0");
    refused.forEach(
        (json, message) -> {
          ParsingException failure = assertThrows(ParsingException.class, () -> parse(json));
          assertEquals(message, failure.getMessage());
        });
  }

  @Test
  void itIsSaidAsItIsRead() throws IOException {
    for (String json :
        List.of(
            "{\"score\":\"mean\",\"best\":3}",
            "{\"score\":\"max\",\"sections\":{\"facts\":2.0},\"other\":0.5}")) {
      assertEquals(json, Strings.toString(parse(json)));
    }
  }

  @Test
  void whatGoesToShardsComesBackAsItWas() throws IOException {
    PassageScoring scoring = parse("{\"score\": \"sum\", \"best\": 2, \"sections\": {\"a\": 2}}");
    QueryBuilder candidates =
        new NestedQueryBuilder("p", QueryBuilders.matchAllQuery(), ScoreMode.Max);
    float[] vector = {1, 2};
    Content.Text instructed = new Content.Text("cats", "Find what they eat");
    DenseOptions options = new DenseOptions(3, null, true, null, null, scoring);
    for (QueryBuilder query :
        List.of(
            new PassagesQueryBuilder(candidates, "p", "p.vector", vector, scoring).boost(2),
            new HighlightedVectorsBuilder(
                new HighlightedVectors(
                    "p.vector", Map.of("f", vector), 7, TimeValue.timeValueSeconds(3))),
            new DenseQueryBuilder(() -> null, "v", instructed, options),
            new HighlightedTextBuilder(
                () -> null, "body", instructed, List.of("v"), 7, TimeValue.timeValueSeconds(3)))) {
      QueryBuilder read = sent(query);
      assertEquals(query, read);
      assertEquals(query.hashCode(), read.hashCode());
    }
  }

  private static QueryBuilder sent(QueryBuilder query) throws IOException {
    List<NamedWriteableRegistry.Entry> known =
        new ArrayList<>(new SearchModule(Settings.EMPTY, List.of()).getNamedWriteables());
    known.addAll(SearchNames.writeables(() -> null));
    known.add(
        new NamedWriteableRegistry.Entry(
            QueryBuilder.class,
            DenseQueryBuilder.NAME,
            in -> new DenseQueryBuilder(() -> null, in)));
    try (BytesStreamOutput out = new BytesStreamOutput()) {
      out.writeNamedWriteable(query);
      try (StreamInput in =
          new NamedWriteableAwareStreamInput(
              out.bytes().streamInput(), new NamedWriteableRegistry(known))) {
        QueryBuilder read = in.readNamedWriteable(QueryBuilder.class);
        assertEquals(-1, in.read());
        return read;
      }
    }
  }
}
