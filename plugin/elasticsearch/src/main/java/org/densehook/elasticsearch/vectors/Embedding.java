package org.densehook.elasticsearch.vectors;

import java.util.List;
import org.densehook.chunk.Chunk;

/**
 * What a document holds for a field: one value, or one for each chunk of its text.
 *
 * @param values 1 or as many as there are chunks, as the field's {@link FieldFormat} has them
 * @param starts the first code point of each chunk; null for a text as a whole
 * @param ends the one behind its last; null for a text as a whole
 * @param names what each chunk has as the name of its part; null for a text as a whole
 */
record Embedding(Object[] values, int[] starts, int[] ends, Object[] names) {

  static Embedding of(Object value) {
    return new Embedding(new Object[] {value}, null, null, null);
  }

  static Embedding of(List<Chunk> chunks, Object[] values) {
    return new Embedding(
        values,
        chunks.stream().mapToInt(Chunk::start).toArray(),
        chunks.stream().mapToInt(Chunk::end).toArray(),
        chunks.stream().map(Chunk::name).toArray());
  }

  /** Whether two are one that was written out and read again. */
  boolean isSame(Embedding other, FieldFormat format) {
    if (values.length != other.values.length) {
      return false;
    }
    for (int i = 0; i < values.length; i++) {
      if (!format.same(values[i], other.values[i])) {
        return false;
      }
    }
    return true;
  }
}
