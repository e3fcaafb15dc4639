package org.densehook.elasticsearch.index;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.service.ServingEncoder;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;

/**
 * A vector field's provenance, as the mapping's {@code _meta.densehook.fields} states it.
 *
 * @param name path of the dense_vector field
 * @param inputs paths of the text fields that are joined into its text
 * @param encoder name of the encoder that makes its vectors
 * @param fingerprint fingerprint of that encoder
 */
public record VectorField(String name, List<String> inputs, String encoder, String fingerprint) {

  /** The vector fields an index's mapping states, by name; empty when it states none. */
  public static Map<String, VectorField> of(IndexMetadata index) {
    MappingMetadata mapping = index.mapping();
    if (mapping == null) {
      return Map.of();
    }
    Map<String, VectorField> fields = new LinkedHashMap<>();
    Object stated = at(at(at(mapping.sourceAsMap(), "_meta"), "densehook"), "fields");
    if (stated instanceof Map<?, ?> byName) {
      byName.forEach(
          (name, field) -> {
            if (at(field, "encoder") instanceof String encoder
                && at(field, "fingerprint") instanceof String fingerprint) {
              List<String> inputs = strings(at(field, "input"));
              fields.put(
                  name.toString(), new VectorField(name.toString(), inputs, encoder, fingerprint));
            }
          });
    }
    return fields;
  }

  /**
   * Refuses an encoder whose vectors are not those of this field.
   *
   * @throws IllegalArgumentException naming both
   */
  public void require(ServingEncoder serving, String index) {
    if (!serving.fingerprint().equals(fingerprint)) {
      throw new IllegalArgumentException(
          "field ["
              + name
              + "] of index ["
              + index
              + "] holds vectors of encoder ["
              + encoder
              + "] ("
              + fingerprint
              + "), not of ["
              + serving.name()
              + "] ("
              + serving.fingerprint()
              + "); use that encoder, or create another index");
    }
  }

  private static Object at(Object object, String key) {
    return object instanceof Map<?, ?> map ? map.get(key) : null;
  }

  private static List<String> strings(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(Object::toString).toList();
    }
    return value == null ? List.of() : List.of(value.toString());
  }
}
