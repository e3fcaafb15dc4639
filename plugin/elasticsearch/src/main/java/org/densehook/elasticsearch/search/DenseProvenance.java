package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.densehook.elasticsearch.vectors.EmbeddedField;

/** What searched indices say of a vector field, of which none may leave open who made it. */
final class DenseProvenance {

  private DenseProvenance() {}

  /**
   * The encoders of a field, mostly one.
   *
   * @throws IllegalArgumentException when no index says, or one that maps it does not
   */
  static List<FieldEncoder> of(String field, List<SearchedIndex> indices) {
    return of(field, indices, "use a knn query with query_vector_builder");
  }

  /**
   * The same for a query that can do without.
   *
   * @param otherwise what to do where no index says
   */
  static List<FieldEncoder> of(String field, List<SearchedIndex> indices, String otherwise) {
    SortedMap<String, EmbeddedField> found = new TreeMap<>();
    boolean unstated = false;
    for (SearchedIndex index : indices) {
      EmbeddedField stated = index.embedded(field);
      if (stated != null) {
        found.put(index.name(), stated);
      } else {
        unstated |= leavesOpen(field, index);
      }
    }
    if (found.isEmpty() || unstated) {
      throw new IllegalArgumentException(
          (found.isEmpty()
                  ? "no index of " + names(indices, index -> true) + " says"
                  : "no mapping of " + names(indices, index -> leavesOpen(field, index)) + " says")
              + " which encoder made field ["
              + field
              + "]: its mapping needs _meta.densehook.fields; write it with densehook create, or "
              + otherwise);
    }
    return FieldEncoder.of(found);
  }

  private static boolean leavesOpen(String field, SearchedIndex index) {
    return index.embedded(field) == null && index.field(field) != null;
  }

  private static Set<String> names(List<SearchedIndex> indices, Predicate<SearchedIndex> which) {
    Set<String> names = new TreeSet<>();
    indices.stream().filter(which).forEach(index -> names.add(index.name()));
    return names;
  }
}
