package org.densehook.elasticsearch.index;

import java.util.List;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Setting.Property;

/** The settings of an index. */
public final class EmbedSettings {

  static final Setting<Boolean> EMBED =
      Setting.boolSetting("index.densehook.embed", false, Property.IndexScope, Property.Dynamic);

  private EmbedSettings() {}

  public static List<Setting<?>> all() {
    return List.of(EMBED);
  }

  /** Whether the node fills the vector fields of an index; false for an index that is gone. */
  static boolean embeds(IndexMetadata index) {
    return index != null && EMBED.get(index.getSettings());
  }
}
