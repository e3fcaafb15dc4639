package org.densehook.elasticsearch.mapping;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexTemplateMetadata;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.settings.Settings;

/**
 * What indices are made with, unless their own request says otherwise.
 *
 * @param mappings the later over the earlier
 */
public record IndexTemplate(List<CompressedXContent> mappings, Settings settings) {

  /**
   * What an index of this name is made with.
   *
   * @param hidden what its request says of that, or null
   */
  public static IndexTemplate of(ClusterState state, String name, Boolean hidden)
      throws IOException {
    var metadata = StateMetadata.of(state);
    String composable =
        MetadataIndexTemplateService.findV2Template(metadata, name, Boolean.TRUE.equals(hidden));
    if (composable != null) {
      return new IndexTemplate(
          MetadataIndexTemplateService.collectMappings(
              metadata.templatesV2().get(composable), metadata.componentTemplates(), name),
          MetadataIndexTemplateService.resolveSettings(metadata, composable));
    }
    List<IndexTemplateMetadata> legacy =
        MetadataIndexTemplateService.findV1Templates(metadata, name, hidden);
    List<CompressedXContent> mappings = new ArrayList<>();
    for (IndexTemplateMetadata template : legacy) {
      if (template.mappings() != null) {
        mappings.add(0, template.mappings()); // they come with the strongest first
      }
    }
    return new IndexTemplate(mappings, MetadataIndexTemplateService.resolveSettings(legacy));
  }
}
