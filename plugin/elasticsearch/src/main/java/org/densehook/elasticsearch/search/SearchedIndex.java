package org.densehook.elasticsearch.search;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;

/**
 * What a search by text needs to know of one index. A field that the caller may not see is not
 * there.
 *
 * @param name its concrete name, with the cluster's alias before it where it is in another
 * @param vectors what its mapping says
 * @param defaultFields what its {@code index.query.default_field} says
 * @param visible which fields the caller may see
 */
record SearchedIndex(
    String name,
    IndexVectors vectors,
    Supplier<List<String>> defaultFields,
    Predicate<String> visible) {

  /** The field at a path, or null. */
  IndexVectors.MappedField field(String path) {
    IndexVectors.MappedField field = visible.test(path) ? vectors.field(path) : null;
    boolean hidden = field != null && field.aliasOf() != null && !visible.test(field.aliasOf());
    return hidden ? null : field;
  }

  /** Which encoder the vectors of a field come from, or null where the mapping does not say. */
  EmbeddedField embedded(String path) {
    return visible.test(path) ? vectors.fields().get(path) : null;
  }

  /** The fields that {@code _meta.densehook} states: those for BM25 first, then the vectors. */
  Set<String> stated() {
    Set<String> names = new LinkedHashSet<>(vectors.bm25());
    vectors.fields().values().stream()
        .filter(field -> field.format().finds())
        .forEach(field -> names.add(field.name()));
    names.removeIf(name -> !visible.test(name));
    return names;
  }
}
