package org.densehook.elasticsearch.search;

import java.util.Locale;

/**
 * A field that a hybrid retriever's shorthand searches, as a user writes it: {@code title^2}.
 *
 * @param name its path in the mapping
 * @param boost for a text field the boost in the BM25 query, for a vector field the weight of its
 *     list in the fusion; at least 0
 */
record HybridField(String name, float boost) {

  static HybridField parse(String written) {
    int caret = written.lastIndexOf('^');
    String name = caret < 0 ? written : written.substring(0, caret);
    if (name.isBlank()) {
      throw refused(written);
    }
    if (caret < 0) {
      return new HybridField(name, 1f);
    }
    try {
      float boost = Float.parseFloat(written.substring(caret + 1));
      if (boost >= 0 && boost < Float.POSITIVE_INFINITY) {
        return new HybridField(name, boost);
      }
    } catch (NumberFormatException e) {
      // refused below, like a boost out of range
    }
    throw refused(written);
  }

  private static IllegalArgumentException refused(String written) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "[fields] holds [%s]; each must be a field's name, or name^boost with a boost of at"
                + " least 0",
            written));
  }

  @Override
  public String toString() {
    return boost == 1f ? name : name + "^" + boost;
  }
}
