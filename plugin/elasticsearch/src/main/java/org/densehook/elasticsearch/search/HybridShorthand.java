package org.densehook.elasticsearch.search;

import java.util.List;
import org.densehook.fusion.Normalizer;

/**
 * A hybrid retriever that names a text and fields instead of retrievers.
 *
 * @param query the text to search for
 * @param fields text and vector fields; empty for those that the indices' mappings state
 * @param normalizer for every list; none for reciprocal rank fusion
 * @param learned whether fusion, normalizer and weights are those that the index keeps
 */
record HybridShorthand(
    String query, List<HybridField> fields, Normalizer normalizer, boolean learned) {}
