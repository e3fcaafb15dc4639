package org.densehook.elasticsearch.vectors;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;

/** How documents hold what the encoders of a kind give, in the fields of one type. */
public interface FieldFormat {

  /** That of each kind whose outputs are written into a field. */
  Map<Kind, FieldFormat> BY_KIND =
      new EnumMap<>(
          Map.of(
              Kind.DENSE, new DenseFormat(),
              Kind.SPARSE, new SparseFormat(),
              Kind.MULTI, new MultiFormat(),
              Kind.IMAGE_TEXT, new DenseFormat(),
              Kind.NUMBERS, new DenseFormat()));

  /** The kind of what it holds. */
  Kind kind();

  /** The type of its fields in a mapping. */
  String type();

  /**
   * What an encoder gave for a text, as a value.
   *
   * @param row as the encoder's {@code Output} has it
   */
  Object made(float[] row, EncoderHandle by);

  /** A value that a document holds; null for what is none. */
  Object parse(Object stated);

  /**
   * A value as it is put into a document.
   *
   * @param base64 whether the index takes numbers in base64
   */
  Object written(Object value, boolean base64);

  /** Whether two values are one that was written out and read again. */
  boolean same(Object one, Object other);

  /**
   * Why no field mapped so can hold such values, whatever encoder makes them; null when it can.
   *
   * @param definition what the mapping says of the field
   */
  String objection(Map<String, Object> definition);

  /** Why a field mapped so cannot hold this encoder's values; null when it can. */
  String objection(Map<String, Object> definition, EncoderFacts encoder);

  /** The same as a field has it whose mapping says how it holds its values. */
  default FieldFormat mapped(Map<String, Object> definition) {
    return this;
  }

  /** Whether documents are found by it, and not only scored that another search has found. */
  default boolean finds() {
    return true;
  }

  /** Why it holds no value for each of several chunks; null when it does. */
  default String chunksObjection() {
    return null;
  }

  /**
   * That of an encoder's outputs, in a field of some mapping.
   *
   * @param vectors what that mapping says
   * @throws IllegalArgumentException for a kind that is written into no field, and where the field
   *     is mapped so that it cannot hold them
   */
  static FieldFormat of(EncoderHandle encoder, IndexVectors vectors, String path) {
    FieldFormat own = of(encoder);
    MappedField mapped = mapped(vectors, path);
    if (mapped == null) {
      return own;
    }
    Kind held = held(mapped, encoder.kinds());
    String objection = held == null ? null : BY_KIND.get(held).objection(mapped.definition());
    if (objection == null) {
      objection = objection(mapped, facts(encoder));
    }
    if (objection != null) {
      throw new IllegalArgumentException("field [" + path + "] " + objection);
    }
    return BY_KIND.get(held).mapped(mapped.definition());
  }

  /**
   * The field that a path of a pipeline leads to: it may say which item of a list, as {@code
   * parts.0.vector}. Null where the mapping has none.
   */
  static MappedField mapped(IndexVectors vectors, String path) {
    MappedField mapped = vectors.field(path);
    return mapped != null
        ? mapped
        : vectors.field(
            Arrays.stream(path.split("\\."))
                .filter(name -> !name.chars().allMatch(Character::isDigit))
                .collect(Collectors.joining(".")));
  }

  /** Which of an encoder's kinds a field mapped so holds; null for none. */
  static Kind held(MappedField mapped, Collection<Kind> kinds) {
    for (Kind kind : kinds) {
      FieldFormat format = BY_KIND.get(kind);
      if (format != null && format.type().equals(mapped.type())) {
        return kind;
      }
    }
    return null;
  }

  /** Why a field mapped so cannot hold what an encoder gives; null when it can. */
  static String objection(MappedField mapped, EncoderFacts encoder) {
    Kind held = held(mapped, encoder.kinds());
    if (held != null) {
      return BY_KIND.get(held).objection(mapped.definition(), encoder);
    }
    FieldFormat own = BY_KIND.get(encoder.kind());
    return "is mapped as ["
        + mapped.type()
        + "], and encoder ["
        + encoder.name()
        + "] is of kind ["
        + encoder.kind()
        + "], "
        + (own == null
            ? "whose outputs are written into no field; name another encoder"
            : "which writes [" + own.type() + "]; map it so, or name another encoder");
  }

  /** What a mapping must agree with; Elasticsearch itself refuses vectors of another length. */
  private static EncoderFacts facts(EncoderHandle encoder) {
    Map<Kind, Integer> also = new EnumMap<>(Kind.class);
    encoder.kinds().forEach(kind -> also.put(kind, encoder.dims(kind)));
    also.remove(encoder.kind());
    return new EncoderFacts(
        encoder.name(), false, encoder.fingerprint(), encoder.kind(), encoder.dims(), true, also);
  }

  /**
   * That of an encoder's outputs.
   *
   * @throws IllegalArgumentException for a kind that is written into no field
   */
  static FieldFormat of(EncoderHandle encoder) {
    FieldFormat format = BY_KIND.get(encoder.kind());
    if (format == null) {
      throw new IllegalArgumentException(
          "encoder ["
              + encoder.name()
              + "] is of kind ["
              + encoder.kind()
              + "], whose outputs are written into no field; name one of kind "
              + BY_KIND.keySet());
    }
    return format;
  }

  /**
   * That of the fields of a type; of any other that of vectors, as Elasticsearch says what is wrong
   * with it.
   */
  static FieldFormat ofType(String type) {
    return BY_KIND.values().stream()
        .filter(format -> format.type().equals(type))
        .findFirst()
        .orElse(BY_KIND.get(Kind.DENSE));
  }

  /** Whether an encoder of any kind writes into fields of a type. */
  static boolean knowsType(String type) {
    return BY_KIND.values().stream().anyMatch(format -> format.type().equals(type));
  }

  /** The types there are, as one of several is named. */
  static String types() {
    TreeSet<String> types = new TreeSet<>();
    BY_KIND.values().forEach(format -> types.add(format.type()));
    return String.join(" or ", types);
  }
}
