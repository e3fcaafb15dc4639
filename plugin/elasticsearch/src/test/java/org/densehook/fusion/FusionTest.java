package org.densehook.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same scores as densehook.fusion in Python, to the last bit; refusals. */
final class FusionTest {

  /** Whole numbers stay whole, as Elasticsearch reads them. */
  private static final Gson JSON =
      new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

  private static final List<Hit<String>> BM25 =
      List.of(new Hit<>("a", 9), new Hit<>("b", 5), new Hit<>("c", 1));
  private static final List<Hit<String>> DENSE =
      List.of(new Hit<>("c", 0.9), new Hit<>("d", 0.7), new Hit<>("a", 0.5));

  private static Ranking<String> ranking(List<Hit<String>> hits) {
    return new Ranking<>(hits, 1, Normalizer.NONE);
  }

  private static Map<String, FusedHit<String>> byId(List<FusedHit<String>> hits) {
    return hits.stream().collect(Collectors.toMap(FusedHit::id, Function.identity()));
  }

  /** Cases that the Python tests write and hold Python to (tests/unit/test_fusion_in_java.py). */
  static Stream<JsonObject> cases() throws Exception {
    return stored("cases.json");
  }

  static Stream<JsonObject> learned() throws Exception {
    return stored("learned.json");
  }

  private static Stream<JsonObject> stored(String file) throws Exception {
    try (Reader reader =
        new InputStreamReader(FusionTest.class.getResourceAsStream(file), StandardCharsets.UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonArray().asList().stream()
          .map(JsonElement::getAsJsonObject)
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void scoresAndPartsAreThoseOfPython(JsonObject stored) {
    boolean linear = stored.has("normalizer");
    Normalizer normalizer =
        linear ? Normalizer.BY_NAME.get(stored.get("normalizer").getAsString()) : Normalizer.NONE;
    List<Ranking<String>> rankings = new ArrayList<>();
    for (JsonElement list : stored.getAsJsonArray("lists")) {
      List<Hit<String>> hits = hits(list);
      double weight = stored.getAsJsonArray("weights").get(rankings.size()).getAsDouble();
      rankings.add(new Ranking<>(hits, weight, normalizer));
    }
    Fusion fusion =
        linear
            ? new LinearCombination()
            : new ReciprocalRankFusion(stored.get("rank_constant").getAsInt());

    Map<String, FusedHit<String>> fused = byId(fusion.fuse(rankings));

    JsonObject expected = stored.getAsJsonObject("fused");
    assertEquals(expected.keySet(), fused.keySet());
    for (String id : expected.keySet()) {
      FusedHit<String> hit = fused.get(id);
      JsonArray scoreAndParts = expected.getAsJsonArray(id);
      assertEquals(scoreAndParts.get(0).getAsDouble(), hit.score(), 0.0);
      for (int list = 0; list < rankings.size(); list++) {
        JsonElement part = scoreAndParts.get(1).getAsJsonArray().get(list);
        assertEquals(rankings.get(list).weight(), hit.parts().get(list).weight());
        assertPart(part, hit.parts().get(list));
      }
    }
  }

  private static List<Hit<String>> hits(JsonElement list) {
    List<Hit<String>> hits = new ArrayList<>();
    for (JsonElement hit : list.getAsJsonArray()) {
      JsonArray pair = hit.getAsJsonArray();
      hits.add(new Hit<>(pair.get(0).getAsString(), pair.get(1).getAsDouble()));
    }
    return hits;
  }

  @ParameterizedTest
  @MethodSource("learned")
  void learnedWeightsAreThoseOfPython(JsonObject stored) {
    LearnedWeights model = LearnedWeights.parse(JSON.fromJson(stored.get("model"), Object.class));
    JsonArray lists = stored.getAsJsonArray("lists");

    LearnedWeights.Weighed weighed =
        model.weigh(stored.get("text").getAsString(), hits(lists.get(0)), hits(lists.get(1)));

    Map<String, Double> features = new TreeMap<>();
    weighed.features().forEach((feature, value) -> features.put(feature.label(), value));
    Map<String, Double> expected = new TreeMap<>();
    stored
        .getAsJsonObject("features")
        .entrySet()
        .forEach(each -> expected.put(each.getKey(), each.getValue().getAsDouble()));
    assertEquals(expected, features);
    assertEquals(stored.get("share").getAsDouble(), weighed.share(), 0.0);
    assertEquals(1 - weighed.share(), weighed.words(), 0.0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "3 | it is [3]; it must be an object of [features, fusion, ",
        "{'fusion':'sum'} | [fusion] is [sum]; it must be rrf or linear",
        "{'fusion':'rrf','rank_constant':0} | [rank_constant] is [0]; it must be a whole number",
        "{'fusion':'rrf','normalizer':'tmm'} | [normalizer] is not of fusion rrf; leave it out",
        "{'fusion':'linear','normalizer':'l2'} | [normalizer] is [l2]; it must be one of [minmax,",
        "{'fusion':'linear','weight':1} | it has an unknown key [weight]; known are [features, ",
        "{'fusion':'linear','normalizer':'tmm'} | [features] is [null]; it must be an object of",
        "{'fusion':'linear','normalizer':'tmm','features':{}} | [intercept] is [null]; it must be",
        "{'fusion':'linear','normalizer':'tmm','features':{'hue':{}}} | unknown key [hue]; known",
        "{'fusion':'linear','normalizer':'tmm','features':{'length':{'mean':0,'deviation':0}}} |"
            + " [deviation] of [features.length] is [0.0]; it must be above 0",
        "{'fusion':'linear','normalizer':'tmm','features':{'length':{'deviation':1}}} |"
            + " [mean] of [features.length] is [null]; it must be a number"
      })
  void aModelThatIsWrongIsRefusedInOneLine(String row) {
    int bar = row.indexOf('|');
    Object model = JSON.fromJson(row.substring(0, bar), Object.class);
    String reason =
        assertThrows(IllegalArgumentException.class, () -> LearnedWeights.parse(model))
            .getMessage();
    assertTrue(reason.contains(row.substring(bar + 1).trim()), reason);
  }

  private static void assertPart(JsonElement expected, Part part) {
    if (expected.isJsonNull()) {
      assertFalse(part.present());
      assertEquals(0, part.contribution());
      return;
    }
    JsonArray values = expected.getAsJsonArray();
    assertEquals(values.get(0).isJsonNull() ? 0 : values.get(0).getAsInt(), part.rank());
    if (!values.get(1).isJsonNull()) {
      assertEquals(values.get(1).getAsDouble(), part.normalised(), 0.0);
    }
    assertEquals(values.get(2).getAsDouble(), part.contribution(), 0.0);
  }

  @Test
  void rrfSumsOneOverSixtyPlusRank() {
    Map<String, FusedHit<String>> fused =
        byId(new ReciprocalRankFusion(60).fuse(List.of(ranking(BM25), ranking(DENSE))));
    assertEquals(1 / 61.0 + 1 / 63.0, fused.get("a").score());
    assertEquals(1 / 62.0, fused.get("b").score());
  }

  @Test
  void rrfRanksByTheOrderGivenAndTakesAnyScore() {
    List<Hit<String>> sortedByDate = List.of(new Hit<>("old", Double.NaN), new Hit<>("new", 7));
    Map<String, FusedHit<String>> fused =
        byId(new ReciprocalRankFusion(60).fuse(List.of(ranking(sortedByDate))));
    assertEquals(1 / 61.0, fused.get("old").score());
    assertEquals(2, fused.get("new").parts().get(0).rank());
  }

  @Test
  void anAbsentDocumentIsNotBetterOffThanOneFoundLast() {
    Ranking<String> words = new Ranking<>(BM25, 1, Normalizer.ZSCORE);
    Ranking<String> vectors = new Ranking<>(DENSE, 2, Normalizer.ZSCORE);
    Map<String, FusedHit<String>> fused =
        byId(new LinearCombination().fuse(List.of(words, vectors)));
    Part last = fused.get("a").parts().get(1);
    Part absent = fused.get("b").parts().get(1);
    assertTrue(last.contribution() < 0);
    assertEquals(last.contribution(), absent.contribution());
    assertFalse(absent.present());
    assertEquals(0.0 + absent.contribution(), fused.get("b").score()); // b is BM25's mean
  }

  @Test
  void nothingGivesNothing() {
    assertTrue(new LinearCombination().fuse(List.<Ranking<String>>of()).isEmpty());
    assertTrue(new ReciprocalRankFusion(60).fuse(List.of(ranking(List.of()))).isEmpty());
  }

  @ParameterizedTest
  @EnumSource(Normalizer.class)
  void scoresThatAreNoNumbersAreNotNormalised(Normalizer normalizer) {
    List<Hit<String>> hits = List.of(new Hit<>("a", Double.POSITIVE_INFINITY));
    Ranking<String> ranking = new Ranking<>(hits, 1, normalizer);
    assertThrows(
        IllegalArgumentException.class, () -> new LinearCombination().fuse(List.of(ranking)));
  }

  @Test
  void aDocumentTwiceInOneListIsRefused() {
    Ranking<String> twice = ranking(List.of(new Hit<>("a", 2), new Hit<>("a", 1)));
    for (Fusion fusion : List.of(new LinearCombination(), new ReciprocalRankFusion(60))) {
      assertThrows(IllegalArgumentException.class, () -> fusion.fuse(List.of(twice)));
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
  void aWeightIsANumberOfAtLeastZero(double weight) {
    assertThrows(
        IllegalArgumentException.class, () -> new Ranking<>(BM25, weight, Normalizer.NONE));
  }

  @Test
  void aNegativeRankConstantIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ReciprocalRankFusion(-1));
  }
}
