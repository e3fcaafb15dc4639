package org.densehook.elasticsearch.vectors;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Vectors as documents hold them. */
public final class VectorFormat {

  // what a client or Elasticsearch rounds when it writes a vector out and reads it again is less
  private static final float ROUNDING = 1e-3f;

  private VectorFormat() {}

  /** A document's value with lists for its float[], which Elasticsearch cannot copy. */
  public static Object copyable(Object value) {
    if (value instanceof float[] vector) {
      List<Float> list = new ArrayList<>(vector.length);
      for (float number : vector) {
        list.add(number);
      }
      return list;
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>(list.size());
      list.forEach(item -> copy.add(copyable(item)));
      return copy;
    }
    if (value instanceof Map<?, ?> object) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      object.forEach((key, inner) -> copy.put(key, copyable(inner)));
      return copy;
    }
    return value;
  }

  /** The big-endian float32 values in base64, as Elasticsearch reads them from 9.3 on. */
  public static String toBase64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }

  /** A vector as a document has it: numbers, or their base64; null for what is none. */
  public static float[] parse(Object value) {
    if (value instanceof float[] vector) {
      return vector;
    }
    if (value instanceof List<?> list) {
      float[] vector = new float[list.size()];
      for (int i = 0; i < vector.length; i++) {
        if (!(list.get(i) instanceof Number number)) {
          return null;
        }
        vector[i] = number.floatValue();
      }
      return vector;
    }
    return value instanceof String base64 ? fromBase64(base64) : null;
  }

  private static float[] fromBase64(String base64) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      return null;
    }
    if (bytes.length % Float.BYTES != 0) {
      return null;
    }
    float[] vector = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).asFloatBuffer().get(vector);
    return vector;
  }

  /** Whether two vectors are one that was written out and read again. */
  public static boolean same(float[] one, float[] other) {
    if (one.length != other.length) {
      return false;
    }
    float largest = 0;
    float apart = 0;
    for (int i = 0; i < one.length; i++) {
      largest = Math.max(largest, Math.abs(one[i]));
      apart = Math.max(apart, Math.abs(one[i] - other[i]));
    }
    return apart <= ROUNDING * largest;
  }
}
