package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.fusion.LearnedWeights;

/**
 * A text whose lists are weighed by what an index keeps: BM25's and that of one vector field.
 *
 * @param weights the model
 */
record LearnedQuery(String text, LearnedWeights weights) {

  /**
   * The model that all the indices keep for the one vector field.
   *
   * @throws IllegalArgumentException where there is another number of lists, or no such model
   */
  static LearnedQuery of(String text, HybridFields fields, List<SearchedIndex> indices) {
    if (fields.text().isEmpty() || fields.vectors().size() != 1) {
      throw refused(
          "[weights] [learned] are for text fields and one vector field, here are text fields %s"
              + " and vector fields %s; name them in [fields]",
          fields.text().keySet(), fields.vectorNames());
    }
    String field = fields.vectors().get(0).field().name();
    LearnedWeights found = null;
    SearchedIndex first = null;
    for (SearchedIndex index : indices) {
      if (index.field(field) == null) {
        continue; // nothing of it is in the list
      }
      EmbeddedField stated = index.embedded(field);
      LearnedWeights own = stated == null ? null : stated.weights();
      if (own == null) {
        throw refused(
            "field [%s] of index [%s] has no [weights] in its mapping's _meta.densehook.fields;"
                + " learn them with densehook optimise --query-wise, or leave [weights] out",
            field, index.name());
      }
      if (first != null && !Objects.equals(own, found)) {
        throw refused(
            "field [%s] has other learned weights in index [%s] than in index [%s]; search these"
                + " indices apart",
            field, first.name(), index.name());
      }
      first = index;
      found = own;
    }
    return new LearnedQuery(text, found);
  }

  private static IllegalArgumentException refused(String message, Object... values) {
    return new IllegalArgumentException(
        HybridValues.named(String.format(Locale.ROOT, message, values)));
  }
}
