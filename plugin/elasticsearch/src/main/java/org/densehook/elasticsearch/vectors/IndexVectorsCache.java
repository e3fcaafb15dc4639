package org.densehook.elasticsearch.vectors;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.compat.Compat;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.xcontent.XContentType;

/**
 * What mappings say of vectors, each read once: indices of one content share it, as those behind an
 * alias mostly do, and another version of a mapping is another content.
 */
public final class IndexVectorsCache {

  private static final int MAPPINGS = 1000;
  private static final String TYPE = MapperService.SINGLE_MAPPING_NAME;

  private record Content(List<CompressedXContent> mappings, boolean takesBase64) {}

  private final Map<Content, IndexVectors> byContent =
      new LinkedHashMap<>(16, 0.75f, true) { // those asked for last stay
        @Override
        protected boolean removeEldestEntry(Map.Entry<Content, IndexVectors> eldest) {
          return size() > MAPPINGS;
        }
      };

  /** What an index says; reads its mapping when nobody has asked for it yet. */
  public IndexVectors of(IndexMetadata index) {
    Content content = content(index);
    return content == null ? IndexVectors.NONE : of(content);
  }

  /** What an index says, or null when its mapping must be read first, which takes time. */
  public IndexVectors known(IndexMetadata index) {
    Content content = content(index);
    return content == null ? IndexVectors.NONE : find(content);
  }

  /** What a template's mappings state together, the later over the earlier. */
  public IndexVectors of(List<CompressedXContent> mappings) {
    return mappings.isEmpty() ? IndexVectors.NONE : of(new Content(mappings, false));
  }

  private static Content content(IndexMetadata index) {
    MappingMetadata mapping = index.mapping();
    return mapping == null
        ? null
        : new Content(List.of(mapping.source()), Compat.takesBase64(index));
  }

  private IndexVectors of(Content content) {
    IndexVectors known = find(content);
    if (known != null) {
      return known;
    }
    IndexVectors read = read(content); // with nobody waiting; two may read the same at once
    synchronized (byContent) {
      byContent.put(content, read);
    }
    return read;
  }

  private IndexVectors find(Content content) {
    synchronized (byContent) {
      return byContent.get(content);
    }
  }

  private static IndexVectors read(Content content) {
    Map<String, Object> merged = new HashMap<>();
    for (CompressedXContent mapping : content.mappings) {
      Map<String, Object> parsed =
          XContentHelper.convertToMap(mapping.uncompressed(), true, XContentType.JSON).v2();
      Object inner = parsed.getOrDefault(TYPE, parsed); // most are wrapped in their type
      XContentHelper.update(merged, Map.of(TYPE, inner), false);
    }
    return new IndexVectors(asObject(merged.get(TYPE)), content.takesBase64);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asObject(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }
}
