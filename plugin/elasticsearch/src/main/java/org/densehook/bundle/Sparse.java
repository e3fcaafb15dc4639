package org.densehook.bundle;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Weights over 0 of a few tokens of the vocabulary. A row is float32 [2 · maxTerms], token ids and
 * then their weights, the largest first; zeros where a text has fewer.
 *
 * @param weighsQueries whether the graph is for documents alone, and a query's tokens weigh what
 *     the bundle's table says
 */
public record Sparse(int maxTerms, boolean weighsQueries) implements Part {

  /** The file of a bundle with a weight for each token that a query may have. */
  public static final String IDF = "idf.json";

  static final Set<String> KEYS = Set.of("max_terms", "activation", "query");

  static final String GOLDEN_KEY = "weights";

  private static final String BY_IDF = "idf";

  private static final Set<String> QUERIES = Set.of("graph", BY_IDF);

  private static final Set<String> ACTIVATIONS = Set.of("relu", "log1p_relu", "token_relu");

  private static final Map<String, Double> LOWEST_COSINES =
      Map.of("fp32", 0.99999, "fp16", 0.9999, "int8", 0.95, "int4", 0.85);

  private static final Map<String, Double> MOST_DIFFERENCES = Map.of("fp32", 1e-4);

  /** The lowest cosine to the golden weights that a precision may show. */
  public static double lowestCosine(String precision) {
    return LOWEST_COSINES.get(precision);
  }

  /**
   * How far a weight may be from the golden one, in parts of the text's largest; of fewer bits that
   * is not asked.
   */
  public static double mostDifference(String precision) {
    return MOST_DIFFERENCES.getOrDefault(precision, Double.POSITIVE_INFINITY);
  }

  static Sparse read(Stated stated) throws BundleException {
    stated.oneOf("activation", ACTIVATIONS);
    return new Sparse(stated.number("max_terms", 1), stated.oneOf("query", QUERIES).equals(BY_IDF));
  }

  /** The weights, in the order of {@link #goldenTokens}. */
  static float[] golden(Part part, Stated golden) throws BundleException {
    Map<String, JsonElement> stated = golden.table(GOLDEN_KEY);
    int most = ((Sparse) part).maxTerms;
    if (stated.size() > most) {
      throw new BundleException(
          golden.where() + " has weights of " + stated.size() + " tokens; at most " + most);
    }
    float[] weights = new float[stated.size()];
    int at = 0;
    for (Map.Entry<String, JsonElement> each : stated.entrySet()) {
      weights[at++] = weight(each.getValue(), each.getKey(), golden.where());
    }
    return weights;
  }

  @Override
  public boolean readsPlainly(int maxTokens) {
    return !weighsQueries;
  }

  @Override
  public boolean isOfTokens() {
    return true;
  }

  @Override
  public List<String> goldenTokens(Stated golden) throws BundleException {
    return new ArrayList<>(golden.table(GOLDEN_KEY).keySet());
  }

  private static float weight(JsonElement stated, String token, String where)
      throws BundleException {
    if (stated instanceof JsonPrimitive primitive && primitive.isNumber()) {
      float weight = primitive.getAsFloat();
      if (weight > 0 && Float.isFinite(weight)) {
        return weight;
      }
    }
    throw new BundleException(
        where
            + ": token ["
            + token
            + "] has the weight "
            + Stated.shown(stated)
            + "; it must be a finite number over 0");
  }
}
