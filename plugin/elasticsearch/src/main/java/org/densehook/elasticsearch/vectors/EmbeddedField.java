package org.densehook.elasticsearch.vectors;

import java.util.List;
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
 * @param weights those that were learned for its fusion with BM25, or null
 */
public record EmbeddedField(
    String name,
    List<String> inputs,
    String encoder,
    String fingerprint,
    boolean base64,
    LearnedWeights weights) {

  /** One without learned weights. */
  public EmbeddedField(
      String name, List<String> inputs, String encoder, String fingerprint, boolean base64) {
    this(name, inputs, encoder, fingerprint, base64, null);
  }

  /** The vector as it is written into a document. */
  public Object value(float[] vector) {
    return base64 ? VectorFormat.toBase64(vector) : vector;
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
