package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/**
 * The fields of a hybrid retriever's shorthand, told apart by the mappings of the indices searched.
 *
 * @param text boosts of the fields that BM25 searches, by name
 * @param vectors the fields that kNN searches
 */
record HybridFields(Map<String, Float> text, List<Vector> vectors) {

  /** Types that a match query takes any text for. */
  private static final Set<String> TEXT_TYPES =
      new TreeSet<>(
          List.of(
              "annotated_text",
              "constant_keyword",
              "keyword",
              "match_only_text",
              "search_as_you_type",
              "text",
              "wildcard"));

  /**
   * A vector field to search.
   *
   * @param weight of its list in the fusion
   * @param encoder name of the encoder that its vectors come from
   * @param fingerprint fingerprint of that encoder
   */
  record Vector(String name, double weight, String encoder, String fingerprint) {}

  /** A field in one of the indices that map it. */
  private record Place(SearchedIndex index, IndexVectors.MappedField mapped) {

    boolean isVector() {
      return mapped.type().equals("dense_vector");
    }
  }

  /**
   * Looks the fields up in every index.
   *
   * @param wanted the fields to search; none for those that the mappings state
   * @throws IllegalArgumentException when a field is mapped in no index, is neither text nor
   *     vector, or when it is not known for certain which encoder its vectors come from
   */
  static HybridFields resolve(Collection<IndexMetadata> metadata, List<HybridField> wanted) {
    List<SearchedIndex> indices =
        metadata.stream()
            .map(SearchedIndex::of)
            .sorted(Comparator.comparing(SearchedIndex::name)) // the same message at every call
            .toList();
    Map<String, Float> text = new LinkedHashMap<>();
    List<Vector> vectors = new ArrayList<>();
    for (HybridField field : wanted.isEmpty() ? stated(indices) : wanted) {
      List<Place> places = places(field.name(), indices);
      if (places.get(0).isVector()) {
        vectors.add(vector(field, places));
      } else {
        requireText(field, places);
        text.put(field.name(), field.boost());
      }
    }
    return new HybridFields(text, vectors);
  }

  private static List<HybridField> stated(List<SearchedIndex> indices) {
    Set<String> names = new LinkedHashSet<>();
    indices.forEach(index -> names.addAll(index.stated()));
    if (names.isEmpty() && !indices.isEmpty()) {
      throw refused(
          "needs [fields]: the mapping of %s states none in _meta.densehook", names(indices));
    }
    return names.stream().map(name -> new HybridField(name, 1f)).toList();
  }

  private static List<Place> places(String field, List<SearchedIndex> indices) {
    List<Place> places =
        indices.stream()
            .map(index -> new Place(index, index.vectors().field(field)))
            .filter(place -> place.mapped() != null)
            .toList();
    if (places.isEmpty()) {
      throw refused(
          "field [%s] is not mapped in %s; name text fields or vector fields that are",
          field, names(indices));
    }
    Place first = places.get(0);
    for (Place place : places) {
      if (place.isVector() != first.isVector()) {
        throw refused(
            "field [%s] has type [%s] in index [%s] and type [%s] in index [%s]; search these"
                + " indices apart",
            field,
            first.mapped().type(),
            first.index().name(),
            place.mapped().type(),
            place.index().name());
      }
    }
    return places;
  }

  private static void requireText(HybridField field, List<Place> places) {
    for (Place place : places) {
      String nestedIn = place.mapped().nestedIn();
      if (!TEXT_TYPES.contains(place.mapped().type())) {
        throw refused(
            "field [%s] of index [%s] has type [%s]; it must be dense_vector or one of %s",
            field.name(), place.index().name(), place.mapped().type(), TEXT_TYPES);
      }
      if (nestedIn != null) {
        throw refused(
            "field [%s] of index [%s] is inside the nested object [%s], where a text is found by a"
                + " nested query only; give that query under [retrievers]",
            field.name(), place.index().name(), nestedIn);
      }
    }
  }

  private static Vector vector(HybridField field, List<Place> places) {
    EmbeddedField first = provenance(field, places.get(0));
    for (Place place : places) {
      EmbeddedField other = provenance(field, place);
      if (!other.fingerprint().equals(first.fingerprint())) {
        throw refused(
            "field [%s] holds vectors of encoder [%s] (%s) in index [%s] and of encoder [%s] (%s)"
                + " in index [%s]; search these indices apart, or encode one of them again",
            field.name(),
            first.encoder(),
            first.fingerprint(),
            places.get(0).index().name(),
            other.encoder(),
            other.fingerprint(),
            place.index().name());
      }
    }
    return new Vector(field.name(), field.boost(), first.encoder(), first.fingerprint());
  }

  private static EmbeddedField provenance(HybridField field, Place place) {
    if (place.mapped().aliasOf() != null) {
      throw refused(
          "field [%s] of index [%s] is an alias of the vector field [%s]; name that one",
          field.name(), place.index().name(), place.mapped().aliasOf());
    }
    EmbeddedField stated = place.index().vectors().fields().get(field.name());
    if (stated == null) {
      throw refused(
          "dense_vector field [%s] of index [%s] is not in its mapping's _meta.densehook.fields, so"
              + " its encoder is not known; state it there, or give a knn retriever with its vector"
              + " under [retrievers]",
          field.name(), place.index().name());
    }
    return stated;
  }

  private static String names(List<SearchedIndex> indices) {
    return (indices.size() == 1 ? "index " : "indices ")
        + indices.stream().map(SearchedIndex::name).toList();
  }

  private static IllegalArgumentException refused(String message, Object... values) {
    return new IllegalArgumentException(
        "[" + HybridRetrieverBuilder.NAME + "] " + String.format(Locale.ROOT, message, values));
  }
}
