package org.densehook.elasticsearch.index;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.compat.Compat;
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
 * @param base64 whether its vectors are written in base64
 */
public record VectorField(
    String name, List<String> inputs, String encoder, String fingerprint, boolean base64) {

  /** The vector fields an index's mapping states, by name; empty when it states none. */
  public static Map<String, VectorField> of(IndexMetadata index) {
    MappingMetadata mapping = index.mapping();
    return mapping == null ? Map.of() : of(mapping.sourceAsMap(), Compat.takesBase64(index));
  }

  /**
   * The vector fields a mapping states, by name.
   *
   * @param content the mapping as its source states it
   * @param takesBase64 whether vectors may be written in base64
   */
  static Map<String, VectorField> of(Object content, boolean takesBase64) {
    Map<String, VectorField> fields = new LinkedHashMap<>();
    Object stated = at(at(at(content, "_meta"), "densehook"), "fields");
    if (stated instanceof Map<?, ?> byName) {
      byName.forEach(
          (name, field) -> {
            if (at(field, "encoder") instanceof String encoder
                && at(field, "fingerprint") instanceof String fingerprint) {
              List<String> inputs = strings(at(field, "input"));
              String path = name.toString();
              boolean base64 = takesBase64 && isFloatVector(mappingOf(content, path));
              fields.put(path, new VectorField(path, inputs, encoder, fingerprint, base64));
            }
          });
    }
    return fields;
  }

  /** The vector as it is written into a document. */
  public Object value(float[] vector) {
    return base64 ? Vectors.toBase64(vector) : Vectors.toList(vector);
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

  private static boolean isFloatVector(Object field) {
    Object elements = at(field, "element_type");
    return "dense_vector".equals(at(field, "type"))
        && (elements == null || "float".equals(elements));
  }

  private static Object mappingOf(Object parent, String path) {
    Object properties = at(parent, "properties");
    Object field = at(properties, path);
    for (int dot = path.indexOf('.'); field == null && dot > 0; dot = path.indexOf('.', dot + 1)) {
      Object inner = at(properties, path.substring(0, dot));
      field = inner == null ? null : mappingOf(inner, path.substring(dot + 1));
    }
    return field;
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
