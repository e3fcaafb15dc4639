package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.densehook.bundle.Blank;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.densehook.encode.NumberList;

/** What the inputs of a vector field hold. */
public enum Modality {
  /** Texts, which are put together. */
  TEXT("text", "texts", Content.Text::new, InputText::of),

  /** One image, in base64 or as a data URL. */
  IMAGE("image", "images", Content.Image::new, Modality::image),

  /** One list of numbers, or of lists of channels. */
  NUMBERS("numbers", "numbers", Content.Numbers::new, Modality::numbers);

  /** The key that states it, of a field in {@code _meta} and of the processor. */
  public static final String KEY = "modality";

  private static final Set<String> NUMERIC =
      Set.of("double", "float", "half_float", "scaled_float", "integer", "long", "short", "byte");

  private final String name;
  private final String many;
  private final Function<String, Content> content;
  private final BiFunction<String, Object, List<String>> texts;

  Modality(
      String name,
      String many,
      Function<String, Content> content,
      BiFunction<String, Object, List<String>> texts) {
    this.name = name;
    this.many = many;
    this.content = content;
    this.texts = texts;
  }

  /**
   * That which a field states; texts where it states none.
   *
   * @throws IllegalArgumentException where it is not known
   */
  public static Modality of(Map<?, ?> field) {
    return field.containsKey(KEY) ? parse(field.get(KEY)) : TEXT;
  }

  /**
   * That of a name.
   *
   * @throws IllegalArgumentException where it is not known
   */
  public static Modality parse(Object stated) {
    for (Modality each : values()) {
      if (each.name.equals(stated)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "[" + KEY + "] is [" + stated + "]; it must be one of [text, image, numbers]");
  }

  /** What is said where a field of it has more than one can have; null where it can have all. */
  public String objection() {
    return this == TEXT
        ? null
        : "of "
            + many
            + " a vector is made of one [input], without [template], [prompt] and [chunk]";
  }

  /**
   * Whether encoders of a kind read it.
   *
   * @param given the kind of what is wanted of them: their own, or one of their heads
   */
  public boolean isReadBy(Kind kind, Kind given) {
    return switch (this) {
      case TEXT -> kind.readsTextsFor(given);
      case IMAGE -> kind.readsImagesFor(given);
      case NUMBERS -> kind == Kind.NUMBERS;
    };
  }

  /** The kinds whose encoders read it and write into a field. */
  public List<Kind> kinds() {
    return FieldFormat.BY_KIND.keySet().stream().filter(each -> isReadBy(each, each)).toList();
  }

  /** What encoders of a kind read for what is of a kind, as messages say it. */
  public static String readBy(Kind kind, Kind given) {
    return Stream.of(values())
        .filter(each -> each.isReadBy(kind, given))
        .map(Modality::many)
        .collect(Collectors.joining(" and "));
  }

  /** What fields of it are made of, as messages say it. */
  public String many() {
    return many;
  }

  /**
   * Whether fields mapped so hold it, where they hold no text.
   *
   * @param definition their own entry in the mapping
   */
  public boolean isHeldBy(String type, Map<String, Object> definition) {
    return switch (this) {
      case TEXT -> false;
      case IMAGE -> type.equals("binary");
      case NUMBERS -> NUMERIC.contains(type) || isDisabled(type, definition);
    };
  }

  // which keeps whatever is sent, as it is
  private static boolean isDisabled(String type, Map<String, Object> definition) {
    Object enabled = definition.get("enabled");
    return type.equals("object") && enabled != null && enabled.toString().equals("false");
  }

  /** What an encoder is given of what the inputs hold. */
  Content content(String given) {
    return content.apply(given);
  }

  /**
   * The texts of an input's value; none for null.
   *
   * @throws IllegalArgumentException for a value that it cannot be
   */
  List<String> texts(String field, Object value) {
    return texts.apply(field, value);
  }

  private static List<String> image(String field, Object value) {
    List<String> images =
        InputText.of(field, value).stream().filter(text -> !Blank.is(text)).toList();
    if (images.size() > 1) {
      throw new IllegalArgumentException(
          "input field [" + field + "] holds " + images.size() + " images; give one");
    }
    return images;
  }

  private static List<String> numbers(String field, Object value) {
    List<String> texts = new ArrayList<>();
    if (value != null) {
      try {
        texts.add(NumberList.text(value));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("input field [" + field + "]: " + e.getMessage(), e);
      }
    }
    return texts;
  }

  @Override
  public String toString() {
    return name;
  }
}
