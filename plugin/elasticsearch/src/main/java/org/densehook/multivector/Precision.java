package org.densehook.multivector;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A way to store the numbers of token vectors, as docs/encoders.md describes it. */
public enum Precision {
  /** The numbers themselves. */
  FLOAT32("float32") {
    @Override
    long size(int dims, int tokens) {
      return (long) Float.BYTES * dims * tokens;
    }

    @Override
    void pack(float[] vectors, int dims, int tokens, ByteBuffer target) {
      for (int dim = 0; dim < dims; dim++) {
        for (int token = 0; token < tokens; token++) {
          target.putFloat(vectors[token * dims + dim]);
        }
      }
    }

    @Override
    void unpack(ByteBuffer source, Planes planes) {
      FloatBuffer numbers = source.asFloatBuffer();
      for (int dim = 0; dim < planes.dims; dim++) {
        numbers.get(planes.rows[dim], 0, planes.tokens);
      }
    }
  },

  /** A byte for a number, and a scale for a token. */
  INT8("int8") {
    @Override
    long size(int dims, int tokens) {
      return (long) (Float.BYTES + dims) * tokens;
    }

    @Override
    void pack(float[] vectors, int dims, int tokens, ByteBuffer target) {
      float[] scales = new float[tokens];
      for (int token = 0; token < tokens; token++) {
        float largest = 0;
        for (int dim = 0; dim < dims; dim++) {
          largest = Math.max(largest, Math.abs(vectors[token * dims + dim]));
        }
        scales[token] = largest / 127f;
        target.putFloat(scales[token]);
      }
      for (int dim = 0; dim < dims; dim++) {
        for (int token = 0; token < tokens; token++) {
          float scale = scales[token] > 0 ? scales[token] : 1;
          target.put((byte) Math.rint(vectors[token * dims + dim] / scale));
        }
      }
    }

    @Override
    void unpack(ByteBuffer source, Planes planes) {
      planes.scaled = true;
      source.asFloatBuffer().get(planes.scales, 0, planes.tokens);
      byte[] bytes = source.array();
      int first = source.arrayOffset() + source.position() + Float.BYTES * planes.tokens;
      for (int dim = 0; dim < planes.dims; dim++) {
        float[] row = planes.rows[dim];
        int start = first + dim * planes.tokens;
        for (int token = 0; token < planes.tokens; token++) {
          row[token] = bytes[start + token];
        }
      }
    }
  },

  /** A bit for a number: whether it is over the mean of the text's; a scale for a token. */
  ONE_BIT("1bit") {
    @Override
    long size(int dims, int tokens) {
      return (long) Float.BYTES * (dims + tokens) + (long) dims * rowBytes(tokens);
    }

    @Override
    void pack(float[] vectors, int dims, int tokens, ByteBuffer target) {
      float[] mean = new float[dims];
      for (int dim = 0; dim < dims; dim++) {
        double sum = 0;
        for (int token = 0; token < tokens; token++) {
          sum += vectors[token * dims + dim];
        }
        mean[dim] = tokens == 0 ? 0 : (float) (sum / tokens);
        target.putFloat(mean[dim]);
      }
      for (int token = 0; token < tokens; token++) {
        double sum = 0;
        for (int dim = 0; dim < dims; dim++) {
          sum += Math.abs(vectors[token * dims + dim] - mean[dim]);
        }
        target.putFloat((float) (sum / dims));
      }
      for (int dim = 0; dim < dims; dim++) {
        byte[] bits = new byte[rowBytes(tokens)];
        for (int token = 0; token < tokens; token++) {
          if (vectors[token * dims + dim] - mean[dim] > 0) {
            bits[token >> 3] |= (byte) (1 << (token & 7));
          }
        }
        target.put(bits);
      }
    }

    @Override
    void unpack(ByteBuffer source, Planes planes) {
      planes.scaled = true;
      planes.centred = true;
      source.asFloatBuffer().get(planes.mean, 0, planes.dims).get(planes.scales, 0, planes.tokens);
      int tokens = planes.tokens;
      int row = rowBytes(tokens);
      byte[] bytes = source.array();
      int first = source.arrayOffset() + source.position() + Float.BYTES * (planes.dims + tokens);
      for (int dim = 0; dim < planes.dims; dim++) {
        float[] numbers = planes.rows[dim];
        for (int token = 0; token < tokens; token++) {
          int bit = bytes[first + dim * row + (token >> 3)] >> (token & 7) & 1;
          numbers[token] = 2 * bit - 1;
        }
      }
    }

    private static int rowBytes(int tokens) {
      return (tokens + 7) / 8;
    }
  };

  private final String label;

  Precision(String label) {
    this.label = label;
  }

  /** The precision of this name; null when there is none. */
  public static Precision of(String label) {
    for (Precision precision : values()) {
      if (precision.label.equals(label)) {
        return precision;
      }
    }
    return null;
  }

  /** How many bytes there are behind the header. */
  abstract long size(int dims, int tokens);

  /**
   * Writes vectors.
   *
   * @param vectors one behind the other
   */
  abstract void pack(float[] vectors, int dims, int tokens, ByteBuffer target);

  /** Reads what {@link #pack} wrote, from the buffer's position on. */
  abstract void unpack(ByteBuffer source, Planes planes);

  @Override
  public String toString() {
    return label;
  }
}
