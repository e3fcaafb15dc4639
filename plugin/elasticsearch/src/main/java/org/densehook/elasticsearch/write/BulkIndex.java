package org.densehook.elasticsearch.write;

import java.util.List;
import org.densehook.elasticsearch.vectors.FieldToEmbed;
import org.densehook.elasticsearch.vectors.IndexVectors;

/**
 * The index that a bulk writes to.
 *
 * @param vectors what its mapping says
 * @param fields those whose vectors are made or looked after here
 * @param reuses whether vectors of unchanged texts are taken from stored documents
 */
record BulkIndex(String name, IndexVectors vectors, List<FieldToEmbed> fields, boolean reuses) {}
