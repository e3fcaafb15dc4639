package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.List;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.IndicesRequest;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.index.Index;

/** Finds the indices that requests name, as Elasticsearch does. */
final class RequestedIndices {

  private final IndexNameExpressionResolver indexNames;

  RequestedIndices(IndexNameExpressionResolver indexNames) {
    this.indexNames = indexNames;
  }

  /** The indices a request is for; none where Elasticsearch is to say that there are none. */
  List<IndexMetadata> indices(IndicesRequest request, ClusterState state) {
    List<IndexMetadata> found = new ArrayList<>();
    try {
      for (Index index : concreteIndices(request, state)) {
        IndexMetadata metadata = index == null ? null : StateMetadata.index(state, index);
        if (metadata != null) {
          found.add(metadata);
        }
      }
    } catch (ElasticsearchException | IllegalArgumentException e) {
      return List.of();
    }
    return found;
  }

  private Index[] concreteIndices(IndicesRequest request, ClusterState state) {
    if (request instanceof PutMappingRequest put && put.getConcreteIndex() != null) {
      return new Index[] {put.getConcreteIndex()};
    }
    if (request instanceof PutMappingRequest put && put.writeIndexOnly()) {
      List<Index> found = new ArrayList<>();
      for (String name : put.indices()) {
        found.add(
            indexNames.concreteWriteIndex(
                state,
                put.indicesOptions(),
                name,
                put.indicesOptions().allowNoIndices(),
                put.includeDataStreams()));
      }
      return found.toArray(Index[]::new);
    }
    return indexNames.concreteIndices(state, request);
  }
}
