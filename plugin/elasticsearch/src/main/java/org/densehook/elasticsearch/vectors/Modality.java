package org.densehook.elasticsearch.vectors;

import java.util.Map;
import java.util.function.Function;
import org.densehook.encode.Content;

/** What the inputs of a vector field hold. */
public enum Modality {
  /** Texts, which are put together. */
  TEXT("text", Content.Text::new),

  /** One image, in base64 or as a data URL. */
  IMAGE("image", Content.Image::new);

  /** The key that states it, of a field in {@code _meta} and of the processor. */
  public static final String KEY = "modality";

  /** What is said where a field of images has more than one can have. */
  public static final String OF_IMAGES =
      "of images a vector is made of one [input], without [template], [prompt] and [chunk]";

  private final String name;
  private final Function<String, Content> content;

  Modality(String name, Function<String, Content> content) {
    this.name = name;
    this.content = content;
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
        "[" + KEY + "] is [" + stated + "]; it must be one of [text, image]");
  }

  /** What an encoder is given of what the inputs hold. */
  Content content(String given) {
    return content.apply(given);
  }

  @Override
  public String toString() {
    return name;
  }
}
