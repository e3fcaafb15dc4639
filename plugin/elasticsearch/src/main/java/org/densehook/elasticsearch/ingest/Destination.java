package org.densehook.elasticsearch.ingest;

import java.io.IOException;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.mapping.IndexTemplate;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexAbstraction;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/**
 * Where a document goes.
 *
 * @param index null where the document is about to make it
 * @param vectors what its mapping says, or that of the template it is made from
 */
record Destination(IndexMetadata index, IndexVectors vectors) {

  /** Looks up what a document has as its {@code _index}. */
  static Destination of(ClusterState state, String name, IndexVectorsCache indexVectors)
      throws IOException {
    var metadata = StateMetadata.of(state);
    IndexAbstraction named = metadata.getIndicesLookup().get(name);
    IndexMetadata index =
        named == null || named.getWriteIndex() == null
            ? null
            : metadata.index(named.getWriteIndex());
    return new Destination(
        index,
        index == null
            ? indexVectors.of(IndexTemplate.of(state, name, null).mappings())
            : indexVectors.of(index));
  }
}
