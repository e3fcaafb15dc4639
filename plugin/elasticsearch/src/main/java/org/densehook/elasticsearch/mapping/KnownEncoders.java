package org.densehook.elasticsearch.mapping;

import java.util.List;
import java.util.Objects;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.vectors.EmbeddedField;

/**
 * The encoders that nodes have said they have.
 *
 * @param complete whether every node that has the plugin has answered
 */
record KnownEncoders(List<EncoderFacts> facts, boolean complete) {

  /** The encoder that makes a field's vectors, or null. */
  EncoderFacts of(EmbeddedField field) {
    return facts.stream()
        .filter(
            one ->
                one.name().equals(field.encoder()) && field.fingerprint().equals(one.fingerprint()))
        .findFirst()
        .orElse(null);
  }

  /** Fingerprints under which an encoder of this name is in service. */
  List<String> fingerprints(String name) {
    return facts.stream()
        .filter(one -> one.name().equals(name))
        .map(EncoderFacts::fingerprint)
        .filter(Objects::nonNull)
        .distinct()
        .sorted()
        .toList();
  }

  boolean isLoading(String name) {
    return facts.stream().anyMatch(one -> one.name().equals(name) && one.loading());
  }

  /** Names of all that are in service. */
  List<String> names() {
    return facts.stream()
        .filter(one -> one.fingerprint() != null)
        .map(EncoderFacts::name)
        .distinct()
        .sorted()
        .toList();
  }
}
