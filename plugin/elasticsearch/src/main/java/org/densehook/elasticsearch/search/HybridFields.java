package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.common.regex.Regex;

/**
 * The fields of a hybrid retriever's shorthand, told apart by the mappings of the indices searched.
 *
 * @param text boosts of the fields that BM25 searches, by name or pattern
 * @param vectors the fields that are searched by vector, each as often as there are encoders of its
 *     vectors
 */
record HybridFields(Map<String, Float> text, List<Vector> vectors) {

  /** Types that a lenient match query takes any text for; where it does not fit, none is found. */
  private static final Set<String> MATCHED_TYPES =
      new TreeSet<>(
          List.of(
              "annotated_text",
              "boolean",
              "byte",
              "constant_keyword",
              "counted_keyword",
              "date",
              "date_nanos",
              "double",
              "flattened",
              "float",
              "half_float",
              "icu_collation_keyword",
              "integer",
              "ip",
              "keyword",
              "long",
              "match_only_text",
              "scaled_float",
              "search_as_you_type",
              "short",
              "text",
              "unsigned_long",
              "version",
              "wildcard"));

  private static final String DENSE = "dense_vector";
  private static final String SPARSE = "sparse_vector";

  /**
   * A vector field to search.
   *
   * @param field with the query's own vector or tokens, where it has them
   * @param encoder one whose vectors the field has, where the query's text is to be encoded; null
   *     where it is not
   * @param sparse whether they are weights of tokens
   */
  record Vector(HybridField field, FieldEncoder encoder, boolean sparse) {

    /** Whether it is searched in some of the indices only, since others need another encoder. */
    boolean isOneOfSeveral() {
      return encoder != null && !encoder.alone();
    }
  }

  /** Refuses an instruction that no encoder would read. */
  void requireEncodedVectors() {
    if (vectors.stream().noneMatch(each -> each.encoder() != null && !each.sparse())) {
      throw new IllegalArgumentException(
          HybridValues.named(
              "[instruction] is for the encoder of a dense_vector field, and none of those searched"
                  + " is one whose encoder is asked; leave it out"));
    }
  }

  /** A field in one of the indices that map it. */
  private record Place(SearchedIndex index, IndexVectors.MappedField mapped) {

    String type() {
      return mapped.type();
    }

    boolean isVector() {
      return type().equals(DENSE) || type().equals(SPARSE);
    }
  }

  /**
   * Looks the fields up in every index.
   *
   * @param wanted the fields to search; none for those that the mappings state, or else the
   *     indices' {@code index.query.default_field}
   * @throws IllegalArgumentException when a field is mapped in no index, can be searched neither by
   *     text nor by vector, or when it is not known for certain which encoder its vectors come from
   */
  static HybridFields resolve(List<SearchedIndex> searched, List<HybridField> wanted) {
    List<SearchedIndex> indices =
        searched.stream()
            .sorted(Comparator.comparing(SearchedIndex::name)) // the same message at every call
            .toList();
    HybridFields found = new HybridFields(new LinkedHashMap<>(), new ArrayList<>());
    for (HybridField field : wanted.isEmpty() ? implied(indices) : wanted) {
      if (field.isPattern()) {
        found.addMatching(field, indices);
      } else {
        found.add(field, places(field.name(), indices));
      }
    }
    return found;
  }

  private static List<HybridField> implied(List<SearchedIndex> indices) {
    Set<String> names = new LinkedHashSet<>();
    indices.forEach(index -> names.addAll(index.stated()));
    if (names.isEmpty()) {
      indices.forEach(index -> names.addAll(index.defaultFields().get()));
    }
    return names.stream().map(HybridField::parse).toList();
  }

  private void add(HybridField field, List<Place> places) {
    Place first = places.get(0);
    if (!first.isVector()) {
      requireText(field, places);
      text.put(field.name(), field.boost());
    } else if (first.type().equals(SPARSE)) {
      requireSparse(field);
      if (isEmbedded(field, places)) {
        addVector(field, places);
      } else {
        requireTokens(field, places);
        vectors.add(new Vector(field, null, true));
      }
    } else {
      requireDense(field);
      addVector(field, places);
    }
  }

  /** Whether an index says whose weights a field has; if none does, the query's must be given. */
  private static boolean isEmbedded(HybridField field, List<Place> places) {
    return places.stream().anyMatch(place -> place.index().embedded(field.name()) != null);
  }

  private void addVector(HybridField field, List<Place> places) {
    boolean sparse = places.get(0).type().equals(SPARSE);
    if (field.isGiven()) {
      vectors.add(new Vector(field, null, sparse));
      return;
    }
    SortedMap<String, EmbeddedField> stated = new TreeMap<>();
    places.forEach(place -> stated.put(place.index().name(), provenance(field, place)));
    FieldEncoder.of(stated).forEach(encoder -> vectors.add(new Vector(field, encoder, sparse)));
  }

  /** Whether there are text fields, and one vector field with vectors of several encoders. */
  boolean areBridged() {
    return !text.isEmpty() && vectorNames().size() == 1 && vectors.get(0).isOneOfSeveral();
  }

  /** The names of the fields that are searched by vector, each once. */
  List<String> vectorNames() {
    return vectors.stream().map(vector -> vector.field().name()).distinct().toList();
  }

  /**
   * What a pattern fits: the text fields among them are Elasticsearch's to find; of vector fields
   * those whose encoder is known.
   */
  private void addMatching(HybridField pattern, List<SearchedIndex> indices) {
    Set<String> embedded = new LinkedHashSet<>();
    for (SearchedIndex index : indices) {
      index.vectors().fields().values().stream()
          .filter(field -> field.format().finds())
          .map(EmbeddedField::name)
          .filter(name -> Regex.simpleMatch(pattern.name(), name) && index.field(name) != null)
          .forEach(embedded::add);
    }
    for (String name : embedded) {
      if (vectors.stream().noneMatch(known -> known.field().name().equals(name))) {
        add(pattern.at(name), places(name, indices));
      }
    }
    boolean fitsText =
        indices.stream()
            .anyMatch(
                index ->
                    index.vectors().mapped().entrySet().stream()
                        .anyMatch(
                            entry ->
                                Regex.simpleMatch(pattern.name(), entry.getKey())
                                    && MATCHED_TYPES.contains(entry.getValue().type())
                                    && index.field(entry.getKey()) != null));
    if (fitsText) {
      text.put(pattern.name(), pattern.boost());
    }
  }

  private static List<Place> places(String field, List<SearchedIndex> indices) {
    List<Place> places =
        indices.stream()
            .map(index -> new Place(index, index.field(field)))
            .filter(place -> place.mapped() != null)
            .toList();
    if (places.isEmpty()) {
      throw refused(
          "field [%s] is not mapped in %s; name text fields or vector fields that are",
          field, names(indices));
    }
    Place first = places.get(0);
    for (Place place : places) {
      if ((place.isVector() || first.isVector()) && !place.type().equals(first.type())) {
        throw refused(
            "field [%s] has type [%s] in index [%s] and type [%s] in index [%s]; search these"
                + " indices apart",
            field, first.type(), first.index().name(), place.type(), place.index().name());
      }
    }
    return places;
  }

  private static void requireText(HybridField field, List<Place> places) {
    for (Place place : places) {
      String nestedIn = place.mapped().nestedIn();
      if (field.passages() != null) {
        throw refused(
            "field [%s] of index [%s] has type [%s]; [passages] is for vector fields of chunks",
            field.name(), place.index().name(), place.type());
      }
      if (field.isGiven()) {
        throw refused(
            "field [%s] of index [%s] has type [%s] and cannot be searched by [query_vector]; name"
                + " it alone",
            field.name(), place.index().name(), place.type());
      }
      if (!MATCHED_TYPES.contains(place.type())) {
        throw refused(
            "field [%s] of index [%s] has type [%s]; it must be %s, %s or one of %s",
            field.name(), place.index().name(), place.type(), DENSE, SPARSE, MATCHED_TYPES);
      }
      if (nestedIn != null) {
        throw refused(
            "field [%s] of index [%s] is inside the nested object [%s], where a text is found by a"
                + " nested query only; give that query under [retrievers]",
            field.name(), place.index().name(), nestedIn);
      }
    }
  }

  private static void requireTokens(HybridField field, List<Place> places) {
    if (field.tokens() == null) {
      throw refused(
          "field [%s] of index [%s] has type [%s], for which the query's tokens and their weights"
              + " must be given: {\"field\": \"%s\", \"query_vector\": {\"token\": 1.5, …}}",
          field.name(), places.get(0).index().name(), SPARSE, field.name());
    }
  }

  private static void requireSparse(HybridField field) {
    if (field.vector() != null) {
      throw refused(
          "field [%s] has type [%s]: its [query_vector] is an object of tokens and weights, not a"
              + " list",
          field.name(), SPARSE);
    }
    if (field.passages() != null) {
      throw refused(
          "field [%s] has type [%s], whose documents of chunks are scored by their best one;"
              + " [passages] is for [%s]",
          field.name(), SPARSE, DENSE);
    }
  }

  private static void requireDense(HybridField field) {
    if (field.tokens() != null) {
      throw refused(
          "field [%s] has type [%s]: its [query_vector] is a list of numbers, not an object",
          field.name(), DENSE);
    }
  }

  private static EmbeddedField provenance(HybridField field, Place place) {
    if (place.mapped().aliasOf() != null) {
      throw refused(
          "field [%s] of index [%s] is an alias of the vector field [%s]; name that one",
          field.name(), place.index().name(), place.mapped().aliasOf());
    }
    EmbeddedField stated = place.index().embedded(field.name());
    if (stated == null) {
      throw refused(
          "%s field [%s] of index [%s] is not in its mapping's _meta.densehook.fields, so"
              + " its encoder is not known; state it there, or give the query's vector: {\"field\":"
              + " \"%s\", \"query_vector\": […]}",
          place.type(), field.name(), place.index().name(), field.name());
    }
    return stated;
  }

  private static String names(List<SearchedIndex> indices) {
    return (indices.size() == 1 ? "index " : "indices ")
        + indices.stream().map(SearchedIndex::name).toList();
  }

  private static IllegalArgumentException refused(String message, Object... values) {
    return new IllegalArgumentException(
        HybridValues.named(String.format(Locale.ROOT, message, values)));
  }
}
