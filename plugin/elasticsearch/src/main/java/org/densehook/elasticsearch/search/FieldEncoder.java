package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.index.mapper.IndexFieldMapper;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.TermsQueryBuilder;

/**
 * An encoder of a vector field, and those of the searched indices whose vectors it made.
 *
 * @param provenance what the first of these indices says; others may call the encoder otherwise
 * @param indices their names
 * @param alone whether no searched index has vectors of another encoder in that field
 */
record FieldEncoder(EmbeddedField provenance, List<String> indices, boolean alone) {

  /** What is searched by one query: a field of chunks takes another than one of whole texts. */
  private record Key(String fingerprint, boolean chunked) {

    static Key of(EmbeddedField field) {
      return new Key(field.fingerprint(), field.isChunked());
    }
  }

  /**
   * One for each fingerprint, or two where it made vectors of chunks and of whole texts.
   *
   * @param stated what each index that has the field says of it, by the index's name
   */
  static List<FieldEncoder> of(SortedMap<String, EmbeddedField> stated) {
    Map<Key, List<String>> indices = new LinkedHashMap<>();
    stated.forEach(
        (index, field) ->
            indices.computeIfAbsent(Key.of(field), first -> new ArrayList<>()).add(index));
    return indices.values().stream()
        .map(own -> new FieldEncoder(stated.get(own.get(0)), own, indices.size() == 1))
        .toList();
  }

  /** What it is called. */
  String name() {
    return provenance.encoder();
  }

  /**
   * Matches what is in its indices. A shard of another knows that it matches nothing, and what is
   * required beside it neither, before it looks at the vector: which may have other dims there.
   */
  QueryBuilder inItsIndices() {
    return in(indices);
  }

  /** Matches what is in indices of these names. */
  static QueryBuilder in(Collection<String> indices) {
    return new TermsQueryBuilder(IndexFieldMapper.NAME, indices);
  }

  /** The same failure; where it is one of several encoders, with an index that needs this one. */
  Exception named(Exception failure) {
    return alone
        ? failure
        : new ElasticsearchStatusException(
            "field [{}] of index [{}]: {}",
            ExceptionsHelper.status(failure),
            provenance.name(),
            indices.get(0),
            failure.getMessage());
  }
}
