package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The {@code _meta} of a mapping that is put over another. Elasticsearch lets the new one take the
 * place of the old one as a whole; of {@code densehook} what is not stated anew stays, key by key
 * and vector field by vector field, and what is stated as null goes.
 *
 * @param meta the new one, whole
 * @param kept keys that the request did not state and the old one has; empty when there are none
 * @param wholly whether the request said nothing of {@code densehook} at all
 */
record KeptMeta(Map<String, Object> meta, List<String> kept, boolean wholly) {

  private static final String KEY = "densehook";
  private static final String FIELDS = "fields";

  /**
   * Puts a {@code _meta} over another.
   *
   * @param before what the old one has as {@code densehook}; null for nothing
   * @param stated the {@code _meta} of the request
   */
  static KeptMeta over(Object before, Map<String, Object> stated) {
    Map<String, Object> meta = new LinkedHashMap<>(stated);
    if (!stated.containsKey(KEY)) {
      if (before != null) {
        meta.put(KEY, before);
      }
      return new KeptMeta(meta, before == null ? List.of() : List.of(KEY), true);
    }
    List<String> kept = new ArrayList<>();
    if (stated.get(KEY) == null) {
      meta.remove(KEY);
    } else if (stated.get(KEY) instanceof Map<?, ?> now) {
      Map<String, Object> all = over(object(before), object(now), KEY, kept);
      if (all.get(FIELDS) instanceof Map<?, ?> fields) {
        Map<String, Object> entries =
            over(object(object(before).get(FIELDS)), object(fields), KEY + "." + FIELDS, kept);
        if (entries.isEmpty()) {
          all.remove(FIELDS);
        } else {
          all.put(FIELDS, entries);
        }
      }
      if (all.isEmpty()) {
        meta.remove(KEY);
      } else {
        meta.put(KEY, all);
      }
    }
    return new KeptMeta(meta, kept, false);
  }

  private static Map<String, Object> over(
      Map<String, Object> before, Map<String, Object> now, String path, List<String> kept) {
    Map<String, Object> all = new LinkedHashMap<>(before);
    all.putAll(now);
    before.keySet().stream()
        .filter(key -> !now.containsKey(key))
        .forEach(key -> kept.add(path + "." + key));
    all.values().removeIf(Objects::isNull);
    return all;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }
}
