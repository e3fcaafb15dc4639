package org.densehook.elasticsearch.service;

import java.util.List;

/**
 * A query and the texts of documents that are to be scored for it.
 *
 * @param texts those of each document, the best of which is its score
 * @param chunks into how many chunks, at most, a text that stands alone is cut; 0 where none is
 */
public record PairsToScore(String query, List<List<String>> texts, int chunks) {}
