package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.densehook.elasticsearch.vectors.EmbeddedField;

/** What searched indices say of a vector field, of which they must say the same. */
final class DenseProvenance {

  private DenseProvenance() {}

  /**
   * The provenance of a field.
   *
   * @throws IllegalArgumentException when indices disagree, or one that maps it does not say
   */
  static EmbeddedField of(String field, List<SearchedIndex> indices) {
    EmbeddedField found = null;
    boolean unstated = false;
    for (SearchedIndex index : indices) {
      EmbeddedField stated = index.embedded(field);
      if (stated == null) {
        unstated |= leavesOpen(field, index);
        continue;
      }
      if (found != null && !stated.fingerprint().equals(found.fingerprint())) {
        throw new IllegalArgumentException(
            "field ["
                + field
                + "] has vectors of two encoders in the searched indices: ["
                + found.encoder()
                + "] ("
                + found.fingerprint()
                + ") and ["
                + stated.encoder()
                + "] ("
                + stated.fingerprint()
                + "); search them apart");
      }
      found = found == null ? stated : found;
    }
    if (found == null || unstated) {
      throw new IllegalArgumentException(
          (found == null
                  ? "no index of " + names(indices, index -> true) + " says"
                  : "no mapping of " + names(indices, index -> leavesOpen(field, index)) + " says")
              + " which encoder made field ["
              + field
              + "]: its mapping needs _meta.densehook.fields; write it with densehook create, or"
              + " use a knn query with query_vector_builder");
    }
    return found;
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
