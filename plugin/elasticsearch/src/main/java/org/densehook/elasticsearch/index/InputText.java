package org.densehook.elasticsearch.index;

import java.util.ArrayList;
import java.util.List;

/** The text of an input field's value, as the Python package reads it. */
public final class InputText {

  private InputText() {}

  /**
   * The texts of a value: a string, a number, a boolean, or a list of these; none for null.
   *
   * @throws IllegalArgumentException for an object
   */
  public static List<String> of(String field, Object value) {
    List<String> texts = new ArrayList<>();
    collect(field, value, texts);
    return texts;
  }

  private static void collect(String field, Object value, List<String> texts) {
    if (value instanceof List<?> list) {
      list.forEach(item -> collect(field, item, texts));
    } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      texts.add(value.toString());
    } else if (value != null) {
      throw new IllegalArgumentException("input field [" + field + "] is an object, not text");
    }
  }
}
