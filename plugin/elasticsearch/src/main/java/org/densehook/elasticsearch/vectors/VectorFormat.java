package org.densehook.elasticsearch.vectors;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** VectorFormat as documents hold them. */
public final class VectorFormat {

  private VectorFormat() {}

  /** A list, since Elasticsearch can copy no float[] of a document. */
  public static List<Float> toList(float[] vector) {
    List<Float> list = new ArrayList<>(vector.length);
    for (float value : vector) {
      list.add(value);
    }
    return list;
  }

  /** The big-endian float32 values in base64, as Elasticsearch reads them from 9.3 on. */
  public static String toBase64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
