package org.densehook.elasticsearch.search;

import java.util.LinkedHashSet;
import java.util.Set;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/**
 * What a search by text needs to know of one index.
 *
 * @param name its concrete name
 */
record SearchedIndex(String name, IndexVectors vectors) {

  static SearchedIndex of(IndexMetadata index) {
    return new SearchedIndex(index.getIndex().getName(), new IndexVectorsCache().of(index));
  }

  /** The fields that {@code _meta.densehook} states: those for BM25 first, then the vectors. */
  Set<String> stated() {
    Set<String> names = new LinkedHashSet<>(vectors.bm25());
    names.addAll(vectors.fields().keySet());
    return names;
  }
}
