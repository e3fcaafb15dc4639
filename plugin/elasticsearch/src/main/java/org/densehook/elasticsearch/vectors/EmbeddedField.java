package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.LongText;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.fusion.LearnedWeights;

/**
 * A vector field's provenance, as the mapping's {@code _meta.densehook.fields} states it.
 *
 * @param name path of the dense_vector field
 * @param inputs paths of the text fields that are joined into its text
 * @param encoder name of the encoder that makes its vectors
 * @param fingerprint fingerprint of that encoder
 * @param base64 whether its vectors are written in base64
 * @param chunk how its texts are cut, each chunk in an object of its own; null for one vector of a
 *     document
 * @param weights those that were learned for its fusion with BM25, or null
 */
public record EmbeddedField(
    String name,
    List<String> inputs,
    String encoder,
    String fingerprint,
    boolean base64,
    ChunkRule chunk,
    LearnedWeights weights) {

  private static final String START = "start";
  private static final String END = "end";

  /** One of whole texts, without learned weights. */
  public EmbeddedField(
      String name, List<String> inputs, String encoder, String fingerprint, boolean base64) {
    this(name, inputs, encoder, fingerprint, base64, null, null);
  }

  /** Whether a document has a vector for each chunk of its text. */
  public boolean isChunked() {
    return chunk != null;
  }

  /** Path of what belongs to the field in a document: the vector, or the objects of its chunks. */
  public String path() {
    return isChunked() ? name.substring(0, name.lastIndexOf('.')) : name;
  }

  /** What a document has for this field; null for nothing, and for objects that are no chunks. */
  Object valueIn(Map<?, ?> document) {
    Object value = FieldPaths.value(document, path());
    return isChunked() && parse(value) == null ? null : value;
  }

  /** The same as vectors; null also where they cannot be read. */
  Embedding embeddingIn(Map<?, ?> document) {
    return parse(FieldPaths.value(document, path()));
  }

  private Embedding parse(Object value) {
    if (!isChunked()) {
      float[] vector = VectorFormat.parse(value);
      return vector == null ? null : Embedding.of(vector);
    }
    List<?> chunks =
        value instanceof List<?> list ? list : value == null ? List.of() : List.of(value);
    if (chunks.isEmpty()) {
      return null;
    }
    float[][] vectors = new float[chunks.size()][];
    int[] starts = new int[vectors.length];
    int[] ends = new int[vectors.length];
    Object[] names = new Object[vectors.length];
    for (int i = 0; i < vectors.length; i++) {
      if (!(chunks.get(i) instanceof Map<?, ?> chunk)
          || !(chunk.get(START) instanceof Integer start)
          || !(chunk.get(END) instanceof Integer end)) {
        return null;
      }
      vectors[i] = VectorFormat.parse(chunk.get(leaf()));
      if (vectors[i] == null) {
        return null;
      }
      starts[i] = start;
      ends[i] = end;
      names[i] = chunk.get(nameKey());
    }
    return new Embedding(vectors, starts, ends, names);
  }

  /** What is written into a document at {@link #path}. */
  Object value(Embedding embedding) {
    if (!isChunked()) {
      return written(embedding.vectors()[0]);
    }
    List<Map<String, Object>> chunks = new ArrayList<>(embedding.vectors().length);
    for (int i = 0; i < embedding.vectors().length; i++) {
      Map<String, Object> chunk = new LinkedHashMap<>();
      chunk.put(START, embedding.starts()[i]);
      chunk.put(END, embedding.ends()[i]);
      if (embedding.names()[i] != null) {
        chunk.put(nameKey(), embedding.names()[i]);
      }
      chunk.put(leaf(), written(embedding.vectors()[i]));
      chunks.add(chunk);
    }
    return chunks;
  }

  private String nameKey() {
    return chunk.nameKey();
  }

  private String leaf() {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private Object written(float[] vector) {
    return base64 ? VectorFormat.toBase64(vector) : vector;
  }

  /** The hash of a document's text, as its note has it: another way of cutting is another text. */
  String hash(LongText text) {
    return Note.hash(isChunked() ? chunk.hashed(text) : text.text());
  }

  /** Paths of what its vectors are made of: the inputs, and what is put before chunks. */
  List<String> sources() {
    if (!isChunked()) {
      return inputs;
    }
    List<String> sources = new ArrayList<>(inputs);
    sources.addAll(chunk.prefix());
    return sources;
  }

  /**
   * Refuses an encoder whose vectors are not those of this field.
   *
   * @throws IllegalArgumentException naming both
   */
  public void require(EncoderHandle serving, String index) {
    if (!serving.fingerprint().equals(fingerprint)) {
      throw new IllegalArgumentException(
          "field ["
              + name
              + "] of index ["
              + index
              + "] holds vectors of encoder ["
              + encoder
              + "] ("
              + fingerprint
              + "), not of ["
              + serving.name()
              + "] ("
              + serving.fingerprint()
              + "); use that encoder, or create another index");
    }
  }
}
