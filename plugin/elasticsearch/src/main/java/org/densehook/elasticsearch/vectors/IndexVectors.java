package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.elasticsearch.common.xcontent.support.XContentMapValues;

/**
 * What a mapping says of vectors: the fields that {@code _meta.densehook} states, and of every
 * mapped field what a search or a write needs to know. It is read once for a mapping ({@link
 * IndexVectorsCache}) and shared.
 */
public final class IndexVectors {

  /** The reserved object of a document that says what its vectors were made of. */
  public static final String NOTES = "densehook";

  /** The mapping of {@link #NOTES}: any content is kept, and can be asked for by term. */
  public static final Map<String, Object> NOTES_MAPPING =
      Map.of("type", "flattened", "doc_values", false);

  static final IndexVectors NONE = new IndexVectors(Map.of(), false);

  /**
   * A field of the mapping.
   *
   * @param type its type, that of the target for an alias
   * @param nestedIn path of the nested object that holds it, or null
   * @param aliasOf path of the field that it is an alias of, or null
   * @param definition its own entry in the mapping, that of the target for an alias
   */
  public record MappedField(
      String type, String nestedIn, String aliasOf, Map<String, Object> definition) {}

  private final Map<String, EmbeddedField> fields;
  private final List<String> bm25;
  private final Map<String, MappedField> mapped = new HashMap<>();
  private final Function<Map<String, Object>, Map<String, Object>> sourceFilter;

  /**
   * Reads a mapping.
   *
   * @param mapping as its source states it
   * @param takesBase64 whether vectors may be written in base64
   */
  IndexVectors(Map<String, Object> mapping, boolean takesBase64) {
    collect(mapping, "", null);
    Map<?, ?> stated = object(object(mapping.get("_meta")).get("densehook"));
    Map<String, EmbeddedField> found = new LinkedHashMap<>();
    object(stated.get("fields"))
        .forEach(
            (name, entry) -> {
              Map<?, ?> field = object(entry);
              if (field.get("encoder") instanceof String encoder
                  && field.get("fingerprint") instanceof String fingerprint) {
                String path = name.toString();
                found.put(
                    path,
                    new EmbeddedField(
                        path,
                        strings(field.get("input")),
                        encoder,
                        fingerprint,
                        takesBase64 && isFloatVector(field(path))));
              }
            });
    fields = Collections.unmodifiableMap(found);
    bm25 = strings(stated.get("bm25"));
    sourceFilter = sourceFilter(object(mapping.get("_source")));
  }

  /** The vector fields that {@code _meta} states whole, by path, in its order. */
  public Map<String, EmbeddedField> fields() {
    return fields;
  }

  /** The fields for BM25 that {@code _meta} states; often one, or none. */
  public List<String> bm25() {
    return bm25;
  }

  /** The field at a path, also a multi-field's or an alias; null when the mapping has none. */
  public MappedField field(String path) {
    return mapped.get(path);
  }

  /** Every field there is, by path: objects, multi-fields and aliases too. */
  public Map<String, MappedField> mapped() {
    return Collections.unmodifiableMap(mapped);
  }

  /** Whether a document may have its notes: the mapping has the reserved object. */
  public boolean takesNotes() {
    return mapped.containsKey(NOTES);
  }

  /** Whether the stored source keeps a field; an update cannot read one that it drops. */
  public boolean keepsInSource(String path) {
    Map<String, Object> probe = new HashMap<>();
    FieldPaths.put(probe, path, "");
    return FieldPaths.has(sourceFilter.apply(probe), path);
  }

  private void collect(Map<?, ?> parent, String prefix, String nestedIn) {
    for (String children : List.of("properties", "fields")) {
      object(parent.get(children))
          .forEach(
              (key, value) -> {
                if (value instanceof Map<?, ?> field) {
                  String path = prefix + key;
                  String type = field.get("type") instanceof String stated ? stated : "object";
                  mapped.put(path, new MappedField(type, nestedIn, null, object(field)));
                  collect(field, path + ".", type.equals("nested") ? path : nestedIn);
                }
              });
    }
    if (prefix.isEmpty()) {
      Map<String, MappedField> stated = Map.copyOf(mapped);
      mapped.replaceAll((path, field) -> target(field, stated));
    }
  }

  /** The field an alias stands for, or the field itself. */
  private static MappedField target(MappedField field, Map<String, MappedField> stated) {
    String path = field.type.equals("alias") ? String.valueOf(field.definition.get("path")) : "";
    MappedField target = stated.get(path);
    return target == null
        ? field
        : new MappedField(target.type, target.nestedIn, path, target.definition);
  }

  private static boolean isFloatVector(MappedField field) {
    return field != null
        && field.type.equals("dense_vector")
        && "float".equals(field.definition.getOrDefault("element_type", "float"));
  }

  private static Function<Map<String, Object>, Map<String, Object>> sourceFilter(
      Map<String, Object> source) {
    if (source.get("enabled") != null && "false".equals(source.get("enabled").toString())) {
      return document -> Map.of();
    }
    List<String> includes = strings(source.get("includes"));
    List<String> excludes = strings(source.get("excludes"));
    return includes.isEmpty() && excludes.isEmpty()
        ? document -> document
        : XContentMapValues.filter(
            includes.toArray(String[]::new), excludes.toArray(String[]::new));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static List<String> strings(Object value) {
    if (value instanceof List<?> list) {
      List<String> texts = new ArrayList<>();
      list.forEach(item -> texts.add(String.valueOf(item)));
      return List.copyOf(texts);
    }
    return value == null ? List.of() : List.of(value.toString());
  }
}
