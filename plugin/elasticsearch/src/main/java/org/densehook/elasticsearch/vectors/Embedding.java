package org.densehook.elasticsearch.vectors;

import java.util.List;
import org.densehook.chunk.Chunk;

/**
 * What a document holds for a vector field: one vector, or one for each chunk of its text.
 *
 * @param vectors float32 [1 or chunks, dims]
 * @param starts the first code point of each chunk; null for a text as a whole
 * @param ends the one behind its last; null for a text as a whole
 * @param names what each chunk has as the name of its part; null for a text as a whole
 */
record Embedding(float[][] vectors, int[] starts, int[] ends, Object[] names) {

  static Embedding of(float[] vector) {
    return new Embedding(new float[][] {vector}, null, null, null);
  }

  static Embedding of(List<Chunk> chunks, float[][] vectors) {
    return new Embedding(
        vectors,
        chunks.stream().mapToInt(Chunk::start).toArray(),
        chunks.stream().mapToInt(Chunk::end).toArray(),
        chunks.stream().map(Chunk::name).toArray());
  }

  /** Whether two are one that was written out and read again. */
  boolean isSame(Embedding other) {
    if (vectors.length != other.vectors.length) {
      return false;
    }
    for (int i = 0; i < vectors.length; i++) {
      if (!VectorFormat.same(vectors[i], other.vectors[i])) {
        return false;
      }
    }
    return true;
  }
}
