package org.densehook.elasticsearch.search;

import java.util.List;
import org.densehook.encode.Content;
import org.densehook.fusion.Normalizer;

/**
 * A hybrid retriever that names a text and fields instead of retrievers.
 *
 * @param text to search for; its instruction is for the encoders of vector fields
 * @param fields text and vector fields; empty for those that the indices' mappings state
 * @param normalizer for every list; none for reciprocal rank fusion
 * @param learned whether fusion, normalizer and weights are those that the index keeps
 */
record HybridShorthand(
    Content.Text text, List<HybridField> fields, Normalizer normalizer, boolean learned) {

  /** The text to search for. */
  String query() {
    return text.given();
  }
}
