package org.densehook.elasticsearch.index;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.xcontent.XContentType;

/** The vector fields of indices; a mapping is read once, not for each document. */
public final class VectorFields {

  private static final int INDICES = 1000;
  private static final String TYPE = MapperService.SINGLE_MAPPING_NAME;

  private record Read(long mappingVersion, Map<String, VectorField> fields) {}

  private final Map<String, Read> byUuid = new Recent<>();
  private final Map<List<CompressedXContent>, Map<String, VectorField>> byMappings = new Recent<>();

  /** Keeps those asked for last. */
  private static final class Recent<K, V> extends LinkedHashMap<K, V> {

    private Recent() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
      return size() > INDICES;
    }
  }

  /** The vector fields an index's mapping states, by name. */
  public Map<String, VectorField> of(IndexMetadata index) {
    String uuid = index.getIndexUUID();
    synchronized (byUuid) {
      Read known = byUuid.get(uuid);
      if (known != null && known.mappingVersion == index.getMappingVersion()) {
        return known.fields;
      }
    }
    Map<String, VectorField> fields = Map.copyOf(VectorField.of(index));
    synchronized (byUuid) {
      byUuid.put(uuid, new Read(index.getMappingVersion(), fields));
    }
    return fields;
  }

  /** The vector fields that a template's mappings state together, the later over the earlier. */
  public Map<String, VectorField> of(List<CompressedXContent> mappings) {
    if (mappings.isEmpty()) {
      return Map.of();
    }
    synchronized (byMappings) {
      return byMappings.computeIfAbsent(mappings, VectorFields::read);
    }
  }

  private static Map<String, VectorField> read(List<CompressedXContent> mappings) {
    Map<String, Object> merged = new HashMap<>();
    for (CompressedXContent mapping : mappings) {
      Map<String, Object> content =
          XContentHelper.convertToMap(mapping.uncompressed(), true, XContentType.JSON).v2();
      Object inner = content.getOrDefault(TYPE, content); // some are wrapped in their type
      XContentHelper.update(merged, Map.of(TYPE, inner), false);
    }
    return Map.copyOf(VectorField.of(merged.get(TYPE), false));
  }
}
