package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.densehook.bundle.Kind;

/**
 * What is known of an encoder of a node, for a mapping that names it.
 *
 * @param loading whether the node is still looking at its bundle
 * @param fingerprint null unless it is in service; then the rest says nothing
 * @param kind what it gives for a text
 * @param dims length of its vectors; 0 where its kind has none
 * @param normalised whether its vectors have length 1
 * @param also the length of its vectors of each other kind that it gives in the same run
 */
public record EncoderFacts(
    String name,
    boolean loading,
    String fingerprint,
    Kind kind,
    int dims,
    boolean normalised,
    Map<Kind, Integer> also) {

  /** One that gives one output for a text. */
  public EncoderFacts(
      String name, boolean loading, String fingerprint, Kind kind, int dims, boolean normalised) {
    this(name, loading, fingerprint, kind, dims, normalised, Map.of());
  }

  /** What it gives for a text; its own kind first. */
  public List<Kind> kinds() {
    return Stream.concat(Stream.of(kind), also.keySet().stream()).toList();
  }
}
