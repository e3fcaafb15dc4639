package org.densehook.elasticsearch.service;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.BiFunction;
import org.densehook.bundle.Kind;

/**
 * How what an encoder of a kind gave for a text is shown to people.
 *
 * @param key what it is called
 * @param value a list of numbers, or an object
 */
record ShownRow(String key, BiFunction<EncoderHandle, float[], Object> value) {

  /** That of each kind. */
  static final Map<Kind, ShownRow> BY_KIND =
      new EnumMap<>(
          Map.of(
              Kind.DENSE, new ShownRow("vector", (encoder, row) -> row),
              Kind.IMAGE_TEXT, new ShownRow("vector", (encoder, row) -> row),
              Kind.NUMBERS, new ShownRow("vector", (encoder, row) -> row),
              Kind.SPARSE, new ShownRow("weights", EncoderHandle::terms),
              Kind.MULTI, new ShownRow("token_vectors", ShownRow::vectors)));

  /** Those of the tokens, each by itself. */
  private static float[][] vectors(EncoderHandle encoder, float[] row) {
    int dims = encoder.dims(Kind.MULTI);
    float[][] vectors = new float[row.length / dims][];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = Arrays.copyOfRange(row, i * dims, (i + 1) * dims);
    }
    return vectors;
  }
}
