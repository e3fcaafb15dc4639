package org.densehook.elasticsearch.vectors;

import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.multivector.Pooling;
import org.densehook.multivector.Precision;
import org.densehook.multivector.TokenVectors;

/**
 * Token vectors in a binary field: bytes, in base64. How they are stored, and how many of them,
 * stands in the {@code meta} of the field's mapping.
 *
 * @param pool so many times fewer they are made by pooling; 1 for all of them
 */
record MultiFormat(Precision precision, int pool) implements FieldFormat {

  private static final String TYPE = "binary";
  private static final String META = "meta";
  private static final String PRECISION = "precision";
  private static final String POOL = "pool";
  private static final List<String> POOLS = List.of("1", "2", "3", "4");

  /** As a mapping has it that says nothing. */
  MultiFormat() {
    this(Precision.INT8, 1);
  }

  @Override
  public Kind kind() {
    return Kind.MULTI;
  }

  @Override
  public String type() {
    return TYPE;
  }

  @Override
  public FieldFormat mapped(Map<String, Object> definition) {
    if (objection(definition) != null) {
      return new MultiFormat(); // what is wrong others say
    }
    return new MultiFormat(
        Precision.of(stated(definition, PRECISION, Precision.INT8.toString())),
        Integer.parseInt(stated(definition, POOL, POOLS.get(0))));
  }

  private static String stated(Map<String, Object> definition, String key, String otherwise) {
    Object meta = definition.get(META);
    Object value = meta instanceof Map<?, ?> map ? map.get(key) : null;
    return value == null ? otherwise : value.toString();
  }

  @Override
  public Object made(float[] row, EncoderHandle by) {
    int dims = by.dims(kind());
    float[] vectors = pool == 1 ? row : Pooling.pooled(row, dims, pool);
    return TokenVectors.pack(vectors, dims, precision);
  }

  @Override
  public Object parse(Object stated) {
    if (stated instanceof byte[] bytes) {
      return bytes;
    }
    try {
      byte[] bytes = stated instanceof String text ? Base64.getDecoder().decode(text) : new byte[0];
      TokenVectors.header(bytes, 0, bytes.length);
      return bytes;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  @Override
  public Object written(Object value, boolean base64) {
    return Base64.getEncoder().encodeToString((byte[]) value);
  }

  @Override
  public boolean same(Object one, Object other) {
    return Arrays.equals((byte[]) one, (byte[]) other);
  }

  @Override
  public String objection(Map<String, Object> definition) {
    if (!"true".equals(String.valueOf(definition.get("doc_values")))) {
      return "has no doc values, which [maxsim] reads; map it with [doc_values] [true]";
    }
    String precision = stated(definition, PRECISION, Precision.INT8.toString());
    if (Precision.of(precision) == null) {
      return "has [meta.precision] ["
          + precision
          + "]; it must be one of "
          + Arrays.toString(Precision.values());
    }
    String pool = stated(definition, POOL, POOLS.get(0));
    return POOLS.contains(pool)
        ? null
        : "has [meta.pool] [" + pool + "]; it must be one of " + POOLS;
  }

  @Override
  public String objection(Map<String, Object> definition, EncoderFacts encoder) {
    return objection(definition);
  }

  @Override
  public boolean finds() {
    return false;
  }

  @Override
  public String chunksObjection() {
    return "holds a vector for each token of a text as a whole, of which no chunks are made; leave"
        + " [chunk] out";
  }
}
