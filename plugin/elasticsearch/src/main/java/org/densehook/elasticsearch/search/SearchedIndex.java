package org.densehook.elasticsearch.search;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.index.VectorField;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;

/**
 * What a search by text needs to know of one index.
 *
 * @param name its concrete name
 * @param mapping the mapping as its source states it
 * @param vectors the vector fields that {@code _meta.densehook.fields} states, by name
 */
record SearchedIndex(String name, Map<String, Object> mapping, Map<String, VectorField> vectors) {

  /**
   * A field of the mapping.
   *
   * @param type its type, that of the target for an alias
   * @param nestedIn path of the nested object that holds it, or null
   * @param aliasOf path of the field that it is an alias of, or null
   */
  record Mapped(String type, String nestedIn, String aliasOf) {}

  static SearchedIndex of(IndexMetadata index) {
    MappingMetadata mapping = index.mapping();
    Map<String, Object> source = mapping == null ? Map.of() : mapping.sourceAsMap();
    return new SearchedIndex(index.getIndex().getName(), source, VectorField.of(index));
  }

  /** The fields that {@code _meta.densehook} states: the one for BM25 first, then the vectors. */
  Set<String> stated() {
    Set<String> names = new LinkedHashSet<>();
    if (mapping.get("_meta") instanceof Map<?, ?> meta
        && meta.get("densehook") instanceof Map<?, ?> ours) {
      if (ours.get("bm25") instanceof String bm25) {
        names.add(bm25);
      } else if (ours.get("bm25") instanceof List<?> several) {
        several.forEach(bm25 -> names.add(bm25.toString()));
      }
    }
    names.addAll(vectors.keySet());
    return names;
  }

  /** The field at a path, also a multi-field's; null when the mapping has none. */
  Mapped field(String path) {
    Mapped found = find(mapping, path, "", null);
    if (found == null || found.aliasOf() == null) {
      return found;
    }
    Mapped target = find(mapping, found.aliasOf(), "", null);
    return target == null ? null : new Mapped(target.type(), target.nestedIn(), found.aliasOf());
  }

  // A key of the mapping may itself hold dots (subobjects: false), so every prefix is tried.
  private static Mapped find(Map<?, ?> parent, String rest, String prefix, String nestedIn) {
    for (String children : List.of("properties", "fields")) {
      if (!(parent.get(children) instanceof Map<?, ?> fields)) {
        continue;
      }
      for (Map.Entry<?, ?> entry : fields.entrySet()) {
        String key = entry.getKey().toString();
        if (!(entry.getValue() instanceof Map<?, ?> field)) {
          continue;
        }
        String type = field.get("type") instanceof String stated ? stated : "object";
        if (key.equals(rest)) {
          String target = type.equals("alias") ? String.valueOf(field.get("path")) : null;
          return new Mapped(type, nestedIn, target);
        }
        if (rest.startsWith(key + ".")) {
          String path = prefix + key;
          Mapped found =
              find(
                  field,
                  rest.substring(key.length() + 1),
                  path + ".",
                  type.equals("nested") ? path : nestedIn);
          if (found != null) {
            return found;
          }
        }
      }
    }
    return null;
  }
}
