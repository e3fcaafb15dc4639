package org.densehook.elasticsearch.compat;

import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.index.Index;

/** The indices, aliases and templates of a cluster's state: kept by project in later versions. */
public final class StateMetadata {

  private StateMetadata() {}

  /** The metadata of indices, aliases and templates: of a class of its own in each version. */
  public static Metadata of(ClusterState state) {
    return state.metadata();
  }

  /** The metadata of an index, or null when it is gone. */
  public static IndexMetadata index(ClusterState state, Index index) {
    return state.metadata().index(index);
  }

  /** Every index there is. */
  public static Iterable<IndexMetadata> indices(ClusterState state) {
    return state.metadata().indices().values();
  }
}
