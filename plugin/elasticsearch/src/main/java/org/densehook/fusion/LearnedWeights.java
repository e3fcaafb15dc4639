package org.densehook.fusion;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A model of how much dense search is to count beside BM25 for a query, and the fusion that it was
 * learned for. The arithmetic is that of the Python package {@code densehook.fusion.learned}.
 *
 * @param normalizer of the fusion; none for reciprocal rank fusion
 * @param intercept the level of a query whose features are all average
 * @param factors how features count, in the order of {@link Feature}
 */
public record LearnedWeights(
    Fusion fusion, Normalizer normalizer, double intercept, Map<Feature, Factor> factors) {

  private static final Set<String> KEYS =
      Set.of("fusion", "rank_constant", "normalizer", "intercept", "features");
  private static final Set<String> FACTOR_KEYS = Set.of("mean", "deviation", "coefficient");

  /** How a feature counts: its distance from the mean in deviations, times the coefficient. */
  public record Factor(double mean, double deviation, double coefficient) {}

  /**
   * The weights of a query.
   *
   * @param share of all weight that of dense search, between 0 and 1
   * @param features what it was made of
   */
  public record Weighed(double share, Map<Feature, Double> features) {

    /** The weight of BM25's list. */
    public double words() {
      return 1 - share;
    }

    /** What it was made of, in one line. */
    public String told() {
      StringBuilder line = new StringBuilder("dense share [" + share + "] learned from ");
      features.forEach(
          (feature, value) ->
              line.append(feature.label()).append(" [").append(value).append("], "));
      return line.substring(0, line.length() - (features.isEmpty() ? 1 : 2));
    }
  }

  /**
   * Weighs the lists of a query.
   *
   * @param words BM25's hits, best first
   * @param vectors those of dense search
   */
  public <K> Weighed weigh(String text, List<Hit<K>> words, List<Hit<K>> vectors) {
    Feature.Seen<K> seen = new Feature.Seen<>(text, words, vectors);
    Map<Feature, Double> features = new LinkedHashMap<>();
    double level = intercept;
    for (Map.Entry<Feature, Factor> each : factors.entrySet()) {
      double value = each.getKey().of(seen);
      Factor factor = each.getValue();
      level += factor.coefficient() * ((value - factor.mean()) / factor.deviation());
      features.put(each.getKey(), value);
    }
    return new Weighed(0.5 + 0.5 * (level / Math.sqrt(1 + level * level)), features);
  }

  /**
   * Reads what a mapping's {@code _meta} keeps.
   *
   * @throws IllegalArgumentException that says in one line what is wrong with it
   */
  public static LearnedWeights parse(Object stated) {
    Map<?, ?> body = object("it", stated, KEYS);
    boolean linear = LinearCombination.NAME.equals(body.get("fusion"));
    if (!linear && !ReciprocalRankFusion.NAME.equals(body.get("fusion"))) {
      throw wrong("[fusion]", body.get("fusion"), "rrf or linear");
    }
    String other = linear ? "rank_constant" : "normalizer";
    if (body.containsKey(other)) {
      throw new IllegalArgumentException(
          "[" + other + "] is not of fusion " + body.get("fusion") + "; leave it out");
    }
    Normalizer normalizer =
        linear ? Normalizer.BY_NAME.get(String.valueOf(body.get("normalizer"))) : Normalizer.NONE;
    if (normalizer == null) {
      throw wrong("[normalizer]", body.get("normalizer"), "one of " + Normalizer.BY_NAME.keySet());
    }
    Fusion fusion = linear ? new LinearCombination() : new ReciprocalRankFusion(constant(body));
    Map<?, ?> stating = object("[features]", body.get("features"), Feature.BY_NAME.keySet());
    Map<Feature, Factor> factors = new LinkedHashMap<>();
    for (Feature feature : Feature.values()) { // in one order: it decides the sum's last bit
      if (stating.containsKey(feature.label())) {
        String place = "[features." + feature.label() + "]";
        factors.put(feature, factor(place, stating.get(feature.label())));
      }
    }
    return new LearnedWeights(
        fusion, normalizer, number("[intercept]", body.get("intercept")), factors);
  }

  private static int constant(Map<?, ?> body) {
    Object constant = body.get("rank_constant");
    if (constant instanceof Integer || constant instanceof Long) {
      long whole = ((Number) constant).longValue();
      if (whole >= 1 && whole <= Integer.MAX_VALUE) {
        return (int) whole;
      }
    }
    throw wrong("[rank_constant]", constant, "a whole number of at least 1");
  }

  private static Factor factor(String place, Object stated) {
    Map<?, ?> body = object(place, stated, FACTOR_KEYS);
    double deviation = number("[deviation] of " + place, body.get("deviation"));
    if (deviation <= 0) {
      throw wrong("[deviation] of " + place, deviation, "above 0");
    }
    return new Factor(
        number("[mean] of " + place, body.get("mean")),
        deviation,
        number("[coefficient] of " + place, body.get("coefficient")));
  }

  private static double number(String place, Object value) {
    if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
      return number.doubleValue();
    }
    throw wrong(place, value, "a number");
  }

  private static Map<?, ?> object(String place, Object stated, Set<String> known) {
    if (!(stated instanceof Map<?, ?> body)) {
      throw wrong(place, stated, "an object of " + new TreeSet<>(known));
    }
    for (Object name : body.keySet()) {
      if (!known.contains(String.valueOf(name))) {
        throw new IllegalArgumentException(
            place + " has an unknown key [" + name + "]; known are " + new TreeSet<>(known));
      }
    }
    return body;
  }

  private static IllegalArgumentException wrong(String place, Object value, String should) {
    String shown = String.valueOf(value);
    return new IllegalArgumentException(
        place
            + " is ["
            + (shown.length() > 100 ? shown.substring(0, 100) : shown)
            + "]; it must be "
            + should);
  }
}
