package org.densehook.bundle;

import java.util.List;
import java.util.Set;

/**
 * How the model reads a pair: these token ids with the query's and the text's between them.
 *
 * @param before stand before the query
 * @param between between the query and the text
 * @param after behind the text
 * @param secondType the type of the tokens from the text's first on; others are of type 0
 * @param queryEnd put behind a query before it is tokenised
 * @param cutsLongest whether of a pair that is too long the longer part is cut first, until both
 *     are half; else the text alone is
 */
public record Pairing(
    List<Long> before,
    List<Long> between,
    List<Long> after,
    int secondType,
    String queryEnd,
    boolean cutsLongest) {

  private static final String LONGEST_FIRST = "longest_first";
  private static final Set<String> TRUNCATIONS = Set.of(LONGEST_FIRST, "document");
  private static final Set<String> KEYS =
      Set.of("before", "between", "after", "second_type", "query_end", "truncation");

  /** How many tokens of a pair are neither the query's nor the text's. */
  public int around() {
    return before.size() + between.size() + after.size();
  }

  static Pairing read(Stated manifest, String key) throws BundleException {
    Stated stated = manifest.table(key, KEYS);
    return new Pairing(
        stated.tokenIds("before"),
        stated.tokenIds("between"),
        stated.tokenIds("after"),
        stated.number("second_type", 0),
        stated.text("query_end"),
        stated.oneOf("truncation", TRUNCATIONS).equals(LONGEST_FIRST));
  }
}
