package org.densehook.elasticsearch.mapping;

import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.settings.Settings;

/** Settings as requests state them. */
final class RequestedSettings {

  private RequestedSettings() {}

  /** As Elasticsearch reads them: {@code index.} may be left out. */
  static Settings normalised(Settings settings) {
    return Settings.builder()
        .put(settings)
        .normalizePrefix(IndexMetadata.INDEX_SETTING_PREFIX)
        .build();
  }

  /** Whether nodes are to fill vectors. */
  static boolean embed(Settings settings) {
    try {
      return EmbedSettings.EMBED.get(settings);
    } catch (IllegalArgumentException e) { // no boolean; Elasticsearch says so
      return false;
    }
  }
}
