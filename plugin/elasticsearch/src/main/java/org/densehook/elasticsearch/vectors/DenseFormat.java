package org.densehook.elasticsearch.vectors;

import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.service.EncoderHandle;

/** Vectors in a dense_vector field: float[dims], as numbers or in base64. */
final class DenseFormat implements FieldFormat {

  @Override
  public Kind kind() {
    return Kind.DENSE;
  }

  @Override
  public String type() {
    return "dense_vector";
  }

  @Override
  public Object made(float[] row, EncoderHandle by) {
    return row;
  }

  @Override
  public Object parse(Object stated) {
    return VectorFormat.parse(stated);
  }

  @Override
  public Object written(Object value, boolean base64) {
    return base64 ? VectorFormat.toBase64((float[]) value) : value;
  }

  @Override
  public boolean same(Object one, Object other) {
    return VectorFormat.same((float[]) one, (float[]) other);
  }

  @Override
  public String objection(Map<String, Object> definition) {
    String elements = String.valueOf(definition.getOrDefault("element_type", "float")).trim();
    return elements.equalsIgnoreCase("byte") || elements.equalsIgnoreCase("bit")
        ? "has [element_type] ["
            + elements
            + "], encoders give float; to save space use quantised [index_options]"
        : null;
  }

  @Override
  public String objection(Map<String, Object> definition, EncoderFacts encoder) {
    Object dims = definition.get("dims");
    if (dims != null && !dims.toString().equals(Integer.toString(encoder.dims()))) {
      return "has [dims] ["
          + dims
          + "], vectors of encoder ["
          + encoder.name()
          + "] have ["
          + encoder.dims()
          + "]; map it with those";
    }
    return "dot_product".equals(definition.get("similarity")) && !encoder.normalised()
        ? "has [similarity] [dot_product], which takes vectors of length 1 only, and encoder ["
            + encoder.name()
            + "] does not normalise; use [cosine] or [max_inner_product]"
        : null;
  }
}
