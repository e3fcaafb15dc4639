package org.densehook.elasticsearch.write;

import java.util.List;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Setting.Property;

/** The settings of an index. */
public final class EmbedSettings {

  public static final Setting<Boolean> EMBED =
      Setting.boolSetting("index.densehook.embed", false, Property.IndexScope, Property.Dynamic);

  /** Whether a text that the stored document has a vector of is not encoded again. */
  public static final Setting<Boolean> REUSE =
      Setting.boolSetting("index.densehook.reuse", true, Property.IndexScope, Property.Dynamic);

  private EmbedSettings() {}

  public static List<Setting<?>> all() {
    return List.of(EMBED, REUSE);
  }

  /** Whether the node fills the vector fields of an index; false for an index that is gone. */
  public static boolean embeds(IndexMetadata index) {
    return index != null && EMBED.get(index.getSettings());
  }

  public static boolean reuses(IndexMetadata index) {
    return REUSE.get(index.getSettings());
  }

  /** Why nothing is written to an index whose mapping does not say what to embed. */
  static IllegalArgumentException nothingToEmbed(IndexMetadata index) {
    return nothingToEmbed(index.getIndex().getName());
  }

  /** Why nothing is written to an index whose mapping does not say what to embed. */
  public static IllegalArgumentException nothingToEmbed(String index) {
    return new IllegalArgumentException(
        "index ["
            + index
            + "] has ["
            + EMBED.getKey()
            + "], and no field of its mapping's _meta.densehook.fields has [input], [encoder] and"
            + " [fingerprint]; state them there, or take the setting away");
  }
}
