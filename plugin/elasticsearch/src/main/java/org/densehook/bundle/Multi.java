package org.densehook.bundle;

import com.google.gson.JsonElement;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A vector for each token of a text, float32 [tokens, dims] of length 1, compared by MaxSim.
 *
 * @param queryTokens tokens of a query at most, and exactly so many where it is expanded
 * @param markers token ids put behind a text's first token; empty where there are none
 * @param maskId what short queries are filled up with; -1 where they are not
 * @param attendsToMasks whether a query's other tokens see those
 * @param skippedIds tokens of a document that have no vector
 */
public record Multi(
    int dims,
    int queryTokens,
    Map<Role, Integer> markers,
    int maskId,
    boolean attendsToMasks,
    Set<Long> skippedIds)
    implements Part {

  static final Set<String> KEYS =
      Set.of("dims", "query_tokens", "markers", "expansion", "skipped_ids");

  static final String GOLDEN_KEY = "token_vectors";

  private static final int LEAST_TOKENS = 4;
  private static final int SAMPLED = 8;

  private static final Map<String, Double> LOWEST_COSINES =
      Map.of("fp32", 0.9999, "fp16", 0.999, "int8", 0.8, "int4", 0.6);

  @Override
  public boolean normalises() {
    return true;
  }

  @Override
  public boolean readsPlainly(int maxTokens) {
    return queryTokens == maxTokens && markers.isEmpty() && !expands() && skippedIds.isEmpty();
  }

  /** Whether short queries are filled up. */
  public boolean expands() {
    return maskId >= 0;
  }

  /** The lowest cosine to a golden token vector that a precision may show. */
  public static double lowestCosine(String precision) {
    return LOWEST_COSINES.get(precision);
  }

  /** Which of so many token vectors golden.json has, the first and the last among them. */
  public static int[] sampledPlaces(int count) {
    int[] places = new int[Math.min(count, SAMPLED)];
    for (int place = 0; place < places.length; place++) {
      places[place] = count <= SAMPLED ? place : place * (count - 1) / (SAMPLED - 1);
    }
    return places;
  }

  static Multi read(Stated stated) throws BundleException {
    int queryTokens = stated.number("query_tokens", 1);
    if (queryTokens < LEAST_TOKENS) {
      throw new BundleException(
          "encoder.json: query_tokens is "
              + queryTokens
              + "; it must be "
              + LEAST_TOKENS
              + " or more");
    }
    Map<String, JsonElement> expansion = stated.table("expansion");
    Stated masks =
        expansion.isEmpty() ? null : stated.table("expansion", Set.of("mask_id", "attended"));
    return new Multi(
        stated.number("dims", 1),
        queryTokens,
        markers(stated),
        masks == null ? -1 : masks.number("mask_id", 0),
        masks != null && masks.truth("attended"),
        new TreeSet<>(stated.tokenIds("skipped_ids")));
  }

  private static Map<Role, Integer> markers(Stated stated) throws BundleException {
    Map<Role, Integer> markers = new EnumMap<>(Role.class);
    if (!stated.table("markers").isEmpty()) {
      Stated written = stated.table("markers", Set.of("query", "document"));
      for (Role role : Role.values()) {
        markers.put(role, written.number(role.toString(), 0));
      }
    }
    return markers;
  }

  /** How many token vectors a text has, and then the numbers of those sampled. */
  static float[] golden(Part part, Stated golden) throws BundleException {
    int dims = ((Multi) part).dims;
    Stated stated = golden.table(GOLDEN_KEY, Set.of("count", "vectors"));
    int count = stated.number("count", 0);
    float[] numbers = stated.vector("vectors");
    int wanted = sampledPlaces(count).length * dims;
    if (numbers.length != wanted) {
      throw new BundleException(
          stated.where()
              + " has "
              + numbers.length
              + " numbers for "
              + count
              + " tokens; it must have "
              + wanted);
    }
    float[] all = new float[1 + numbers.length];
    all[0] = count;
    System.arraycopy(numbers, 0, all, 1, numbers.length);
    return all;
  }
}
