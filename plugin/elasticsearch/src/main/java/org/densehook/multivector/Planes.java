package org.densehook.multivector;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Token vectors as they are compared: a row for each dim, of all tokens' numbers. One instance
 * reads many values, one after the other, into the same memory.
 *
 * <p>A number is what stands in its dim's row, times its token's scale where they are scaled, and
 * the dim's mean added where they are centred.
 */
final class Planes {

  int dims;
  int tokens;
  float[][] rows = new float[0][];
  float[] scales = new float[0];
  float[] mean = new float[0];
  boolean scaled;
  boolean centred;

  /**
   * Reads a value.
   *
   * @throws IllegalArgumentException for bytes that are no token vectors, or not whole
   */
  void read(byte[] bytes, int offset, int length) {
    TokenVectors.Header header = TokenVectors.header(bytes, offset, length);
    dims = header.dims();
    tokens = header.tokens();
    if (rows.length < dims || rows[0].length < tokens) {
      rows = new float[dims][tokens];
    }
    scales = scales.length < tokens ? new float[tokens] : scales;
    mean = mean.length < dims ? new float[dims] : mean;
    scaled = false;
    centred = false;
    ByteBuffer body = ByteBuffer.wrap(bytes, offset, length).slice().order(ByteOrder.LITTLE_ENDIAN);
    body.position(TokenVectors.HEADER_BYTES);
    header.precision().unpack(body.slice().order(ByteOrder.LITTLE_ENDIAN), this);
  }

  /** The vectors, one behind the other. */
  float[] vectors() {
    float[] vectors = new float[dims * tokens];
    for (int token = 0; token < tokens; token++) {
      for (int dim = 0; dim < dims; dim++) {
        float number = rows[dim][token];
        number = scaled ? number * scales[token] : number;
        vectors[token * dims + dim] = centred ? number + mean[dim] : number;
      }
    }
    return vectors;
  }
}
