package org.densehook.elasticsearch.vectors;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The text of an input field's value, as the Python package reads it. */
public final class InputText {

  /** With so many digits every double can be told from its neighbours. */
  private static final int MOST_DIGITS = 17;

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
    } else if (value instanceof Double || value instanceof Float || value instanceof BigDecimal) {
      texts.add(decimal(Double.parseDouble(value.toString())));
    } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      texts.add(value.toString());
    } else if (value != null) {
      throw new IllegalArgumentException("input field [" + field + "] is an object, not text");
    }
  }

  /** A number as Python spells a float: 1e7 is 10000000.0, 1e16 is 1e+16. */
  private static String decimal(double number) {
    if (number == 0 || !Double.isFinite(number)) {
      return Double.toString(number);
    }
    BigDecimal digits = shortest(new BigDecimal(number)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (-4 <= exponent && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String mantissa = digits.scaleByPowerOfTen(-exponent).toPlainString();
    return mantissa + String.format(Locale.ROOT, "e%+03d", exponent);
  }

  /**
   * The fewest digits that mean this double, and of those the nearest to it. Double.toString gives
   * more than that before Java 19.
   */
  private static BigDecimal shortest(BigDecimal exact) {
    for (int digits = 1; digits < MOST_DIGITS; digits++) {
      BigDecimal down = exact.round(new MathContext(digits, RoundingMode.DOWN));
      BigDecimal up = exact.round(new MathContext(digits, RoundingMode.UP));
      boolean isDown = down.doubleValue() == exact.doubleValue();
      boolean isUp = up.doubleValue() == exact.doubleValue();
      if (isDown || isUp) {
        boolean isDownNearer = exact.subtract(down).abs().compareTo(exact.subtract(up).abs()) <= 0;
        return isDown && (isDownNearer || !isUp) ? down : up;
      }
    }
    return exact.round(new MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN));
  }
}
