package org.densehook.multivector;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Token vectors in bytes, as a document holds them: version 1 of the layout. */
public final class TokenVectors {

  static final int HEADER_BYTES = 8;

  private static final int VERSION = 1;
  private static final int MOST_DIMS = 0xFFFF;

  private TokenVectors() {}

  /** What a value says of itself. */
  public record Header(Precision precision, int dims, int tokens) {}

  /**
   * A value of vectors.
   *
   * @param vectors float32 [tokens, dims], one behind the other
   */
  public static byte[] pack(float[] vectors, int dims, Precision precision) {
    if (dims < 1 || dims > MOST_DIMS || vectors.length % dims != 0) {
      throw new IllegalArgumentException(vectors.length + " numbers are no vectors of " + dims);
    }
    int tokens = vectors.length / dims;
    ByteBuffer target =
        ByteBuffer.allocate(Math.toIntExact(HEADER_BYTES + precision.size(dims, tokens)))
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) VERSION)
            .put((byte) precision.ordinal())
            .putShort((short) dims)
            .putInt(tokens);
    precision.pack(vectors, dims, tokens, target);
    return target.array();
  }

  /**
   * What a value says of itself.
   *
   * @throws IllegalArgumentException for bytes that are no token vectors, or not whole
   */
  public static Header header(byte[] bytes, int offset, int length) {
    if (length < HEADER_BYTES) {
      throw new IllegalArgumentException(
          length + " bytes are no token vectors: their header alone has " + HEADER_BYTES);
    }
    ByteBuffer source = ByteBuffer.wrap(bytes, offset, length).order(ByteOrder.LITTLE_ENDIAN);
    int version = source.get() & 0xFF;
    int code = source.get() & 0xFF;
    int dims = source.getShort() & MOST_DIMS;
    int tokens = source.getInt();
    if (version != VERSION) {
      throw new IllegalArgumentException(
          "token vectors are of layout " + version + "; this plugin reads " + VERSION);
    }
    if (code >= Precision.values().length) {
      throw new IllegalArgumentException(
          "token vectors are of precision "
              + code
              + "; known: 0 to "
              + (Precision.values().length - 1));
    }
    Precision precision = Precision.values()[code];
    long wanted = HEADER_BYTES + precision.size(dims, tokens);
    if (dims == 0 || tokens < 0 || length != wanted) {
      throw new IllegalArgumentException(
          "token vectors have "
              + length
              + " bytes; "
              + Integer.toUnsignedString(tokens)
              + " of "
              + dims
              + " dims in "
              + precision
              + " have "
              + wanted);
    }
    return new Header(precision, dims, tokens);
  }

  /**
   * The vectors of a value, float32 [tokens, dims], one behind the other.
   *
   * @throws IllegalArgumentException as {@link #header}
   */
  public static float[] unpack(byte[] bytes) {
    Planes planes = new Planes();
    planes.read(bytes, 0, bytes.length);
    return planes.vectors();
  }
}
