package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.List;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.action.admin.indices.settings.put.UpdateSettingsRequest;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/** What an update of settings makes of mappings: from now on nodes may fill their vectors. */
final class SettingsUpdates implements MappingFilter.Reader<UpdateSettingsRequest> {

  private final IndexVectorsCache indexVectors;
  private final RequestedIndices requested;

  SettingsUpdates(IndexVectorsCache indexVectors, RequestedIndices requested) {
    this.indexVectors = indexVectors;
    this.requested = requested;
  }

  @Override
  public Change read(UpdateSettingsRequest request, ClusterState state) {
    if (!RequestedSettings.embed(RequestedSettings.normalised(request.settings()))) {
      return null;
    }
    List<Target> targets = new ArrayList<>();
    for (IndexMetadata index : requested.indices(request, state)) {
      if (!EmbedSettings.embeds(index)) {
        String name = index.getIndex().getName();
        // what was only amiss before keeps documents out from now on
        targets.add(
            new Target("index [" + name + "]", name, null, indexVectors.of(index), false, true));
      }
    }
    return targets.isEmpty() ? null : new Change(targets, List.of(), () -> {});
  }
}
