package org.densehook.elasticsearch.search;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;

/** What searched indices say of a vector field, of which none may leave open who made it. */
final class DenseProvenance {

  /** The queries by which fields of each kind are searched. */
  private static final Map<Kind, String> QUERIES =
      Map.of(
          Kind.DENSE, DenseQueryBuilder.PLAIN_NAME,
          Kind.SPARSE, SparseQueryBuilder.PLAIN_NAME,
          Kind.MULTI, MaxsimQueryBuilder.PLAIN_NAME);

  private DenseProvenance() {}

  /**
   * The encoders of a field, mostly one.
   *
   * @param kind what the field must hold: an encoder may give several, each for its own fields
   * @param wants who asks, as {@code query [dense]}
   * @throws IllegalArgumentException when no index says, one that maps it does not, or one maps it
   *     for something else
   */
  static List<FieldEncoder> of(String field, List<SearchedIndex> indices, Kind kind, String wants) {
    return of(field, indices, kind, wants, "use a knn query with query_vector_builder");
  }

  /**
   * The same for a query that can do without.
   *
   * @param otherwise what to do where no index says
   */
  static List<FieldEncoder> of(
      String field, List<SearchedIndex> indices, Kind kind, String wants, String otherwise) {
    SortedMap<String, EmbeddedField> found = new TreeMap<>();
    boolean unstated = false;
    for (SearchedIndex index : indices) {
      EmbeddedField stated = index.embedded(field);
      if (stated != null) {
        requireType(field, index, FieldFormat.BY_KIND.get(kind).type(), wants);
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

  private static void requireType(String field, SearchedIndex index, String type, String wants) {
    MappedField mapped = index.field(field);
    if (mapped != null && !mapped.type().equals(type)) {
      throw new IllegalArgumentException(
          "field ["
              + field
              + "] of index ["
              + index.name()
              + "] is mapped as ["
              + mapped.type()
              + "], and "
              + wants
              + " needs a ["
              + type
              + "]; "
              + otherwise(mapped.type()));
    }
  }

  private static String otherwise(String type) {
    return FieldFormat.knowsType(type)
        ? "it is searched by query [" + QUERIES.get(FieldFormat.ofType(type).kind()) + "]"
        : "name one that is";
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
