package org.densehook.elasticsearch.index;

import java.util.LinkedHashMap;
import java.util.Map;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/** The vector fields of indices; a mapping is read once, not for each document. */
public final class VectorFields {

  private static final int INDICES = 1000;

  private record Read(long mappingVersion, Map<String, VectorField> fields) {}

  private final Map<String, Read> byUuid =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Read> eldest) {
          return size() > INDICES;
        }
      };

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
}
