package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.chunk.ChunkRule;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.fusion.LearnedWeights;

/**
 * A vector field's provenance, as the mapping's {@code _meta.densehook.fields} states it.
 *
 * @param name path of the field
 * @param text how its texts are made of a document's fields
 * @param encoder name of the encoder that makes its vectors
 * @param fingerprint fingerprint of that encoder
 * @param format how documents hold its values
 * @param base64 whether they are written in base64, where they can be
 * @param chunk how its texts are cut, each chunk in an object of its own; null for one vector of a
 *     document
 * @param weights those that were learned for its fusion with BM25, or null
 */
public record EmbeddedField(
    String name,
    TextRule text,
    String encoder,
    String fingerprint,
    FieldFormat format,
    boolean base64,
    ChunkRule chunk,
    LearnedWeights weights) {

  /** Where a chunk begins in its text, beside its vector. */
  public static final String START = "start";

  /** Where it ends. */
  public static final String END = "end";

  private static final FieldFormat DENSE = new DenseFormat();

  /** One of vectors of whole texts of inputs that are joined, without learned weights. */
  public EmbeddedField(
      String name, List<String> inputs, String encoder, String fingerprint, boolean base64) {
    this(name, TextRule.joining(inputs), encoder, fingerprint, DENSE, base64, null, null);
  }

  /** The names of its inputs; none where nobody says of what its vectors could be made. */
  public List<String> inputs() {
    return text.names();
  }

  /**
   * The prompt that a document chooses; null for the encoder's own.
   *
   * @throws IllegalArgumentException when an object should choose it
   */
  public String prompt(Map<?, ?> document) {
    return text.prompt(document);
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

  /** The same as values; null also where they cannot be read. */
  Embedding embeddingIn(Map<?, ?> document) {
    return parse(FieldPaths.value(document, path()));
  }

  private Embedding parse(Object value) {
    if (!isChunked()) {
      Object parsed = value == null ? null : format.parse(value);
      return parsed == null ? null : Embedding.of(parsed);
    }
    List<?> chunks =
        value instanceof List<?> list ? list : value == null ? List.of() : List.of(value);
    if (chunks.isEmpty()) {
      return null;
    }
    Object[] values = new Object[chunks.size()];
    int[] starts = new int[values.length];
    int[] ends = new int[values.length];
    Object[] names = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      if (!(chunks.get(i) instanceof Map<?, ?> chunk)
          || !(chunk.get(START) instanceof Integer start)
          || !(chunk.get(END) instanceof Integer end)) {
        return null;
      }
      Object stated = chunk.get(leaf());
      values[i] = stated == null ? null : format.parse(stated);
      if (values[i] == null) {
        return null;
      }
      starts[i] = start;
      ends[i] = end;
      names[i] = chunk.get(nameKey());
    }
    return new Embedding(values, starts, ends, names);
  }

  /** What is written into a document at {@link #path}. */
  Object value(Embedding embedding) {
    if (!isChunked()) {
      return written(embedding.values()[0]);
    }
    List<Map<String, Object>> chunks = new ArrayList<>(embedding.values().length);
    for (int i = 0; i < embedding.values().length; i++) {
      Map<String, Object> chunk = new LinkedHashMap<>();
      chunk.put(START, embedding.starts()[i]);
      chunk.put(END, embedding.ends()[i]);
      if (embedding.names()[i] != null) {
        chunk.put(nameKey(), embedding.names()[i]);
      }
      chunk.put(leaf(), written(embedding.values()[i]));
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

  private Object written(Object value) {
    return format.written(value, base64);
  }

  /**
   * The hash of a document's text, as its note has it: another prompt, or another way of cutting,
   * is another text.
   */
  String hash(PromptedText text) {
    return Note.hash(text.identity(chunk));
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
