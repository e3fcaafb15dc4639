package org.densehook.elasticsearch.vectors;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.service.EncoderHandle;

/** Weights by token in a sparse_vector field: an object, or a list of one. */
final class SparseFormat implements FieldFormat {

  // Lucene keeps nine significant bits of a weight, and cuts off the others
  private static final double ROUNDING = 1.0 / 256;

  @Override
  public Kind kind() {
    return Kind.SPARSE;
  }

  @Override
  public String type() {
    return "sparse_vector";
  }

  @Override
  public Object made(float[] row, EncoderHandle by) {
    return by.terms(row);
  }

  @Override
  public Object parse(Object stated) {
    // a partial document has a list, lest Elasticsearch merge its weights with those that are there
    Object value = stated instanceof List<?> list && list.size() == 1 ? list.get(0) : stated;
    if (!(value instanceof Map<?, ?> object)) {
      return null;
    }
    Map<String, Float> weights = new LinkedHashMap<>();
    for (Map.Entry<?, ?> each : object.entrySet()) {
      if (each.getValue() == null) {
        continue; // which Elasticsearch passes over
      }
      if (!(each.getValue() instanceof Number weight)) {
        return null;
      }
      weights.put(each.getKey().toString(), weight.floatValue());
    }
    return weights;
  }

  @Override
  public Object written(Object value, boolean base64) {
    return value;
  }

  @Override
  public boolean same(Object one, Object other) {
    Map<?, ?> a = (Map<?, ?>) one;
    Map<?, ?> b = (Map<?, ?>) other;
    return a.keySet().equals(b.keySet())
        && a.entrySet().stream().allMatch(each -> isNear(each.getValue(), b.get(each.getKey())));
  }

  private static boolean isNear(Object one, Object other) {
    float a = (Float) one;
    float b = (Float) other;
    return Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
  }

  @Override
  public String objection(Map<String, Object> definition) {
    return null;
  }

  @Override
  public String objection(Map<String, Object> definition, EncoderFacts encoder) {
    return null;
  }
}
