package org.densehook.elasticsearch.vectors;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
    } else if (value instanceof Double || value instanceof Float) {
      texts.add(decimal(value.toString()));
    } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      texts.add(value.toString());
    } else if (value != null) {
      throw new IllegalArgumentException("input field [" + field + "] is an object, not text");
    }
  }

  /** Java's shortest digits, spelled as Python spells a float: 1e7 is 10000000.0, 1e16 is 1e+16. */
  private static String decimal(String java) {
    if (java.endsWith("N") || java.endsWith("y")) { // NaN, Infinity
      return java;
    }
    BigDecimal value = new BigDecimal(java);
    int exponent = value.precision() - value.scale() - 1;
    if (value.signum() == 0 || java.indexOf('E') < 0) {
      return java;
    }
    BigDecimal digits = value.stripTrailingZeros();
    if (-4 <= exponent && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String mantissa = digits.scaleByPowerOfTen(-exponent).toPlainString();
    return mantissa + String.format(Locale.ROOT, "e%+03d", exponent);
  }
}
