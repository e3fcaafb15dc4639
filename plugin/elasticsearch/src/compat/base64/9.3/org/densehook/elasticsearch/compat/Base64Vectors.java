package org.densehook.elasticsearch.compat;

import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.IndexVersions;

/** Vectors written in base64: this version reads them. */
public final class Base64Vectors {

  private Base64Vectors() {}

  /** Whether an index takes them: where {@code _source} shows no vectors, nobody meets them. */
  public static boolean taken(IndexMetadata index) {
    // as the setting itself says, which a search of many indices has no time to ask each
    String stated =
        index
            .getSettings()
            .get(IndexSettings.INDEX_MAPPING_EXCLUDE_SOURCE_VECTORS_SETTING.getKey());
    return stated == null
        ? index.getCreationVersion().onOrAfter(IndexVersions.EXCLUDE_SOURCE_VECTORS_DEFAULT)
        : Boolean.parseBoolean(stated);
  }
}
