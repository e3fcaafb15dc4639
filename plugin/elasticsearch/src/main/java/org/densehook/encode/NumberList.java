package org.densehook.encode;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * A list of numbers, as documents hold it and as one text, which the Python package writes and
 * reads as well: {@code 2:P4AAAEAAAABAQAAAQIAAAA==} has two channels, and step by step their
 * numbers in big-endian float32. Lists that differ in how their numbers are spelled have one text.
 *
 * @param channels how many numbers a step has
 * @param values those of all steps
 */
public record NumberList(int channels, float[] values) {

  /**
   * The text of a list of numbers, or of lists of as many; empty for an empty list. A number by
   * itself is a list of one, and a list of numbers has one channel.
   *
   * @throws IllegalArgumentException for what is no such list, or has a number that float32 cannot
   *     hold
   */
  public static String text(Object value) {
    List<?> list = value instanceof Number ? List.of(value) : asList(value);
    if (list.isEmpty()) {
      return "";
    }
    boolean nested = list.get(0) instanceof List<?>;
    int channels = list.get(0) instanceof List<?> first ? first.size() : 1;
    if (nested) { // so that no more room is taken than there are numbers
      for (int place = 0; place < list.size(); place++) {
        requireStep(list.get(place), place, channels);
      }
    }
    ByteBuffer packed =
        ByteBuffer.allocate(Math.multiplyExact(list.size() * channels, Float.BYTES));
    for (int place = 0; place < list.size(); place++) {
      String at = "[" + place + "]";
      if (list.get(place) instanceof List<?> step && nested) {
        put(step, at, packed);
      } else {
        packed.putFloat(number(list.get(place), at));
      }
    }
    return channels + ":" + Base64.getEncoder().encodeToString(packed.array());
  }

  /**
   * What {@link #text} put into a text.
   *
   * @throws IllegalArgumentException for any other text
   */
  static NumberList of(String text) {
    try {
      int colon = text.indexOf(':');
      int channels = Integer.parseInt(text.substring(0, Math.max(0, colon)));
      ByteBuffer packed = ByteBuffer.wrap(Base64.getDecoder().decode(text.substring(colon + 1)));
      float[] values = new float[packed.remaining() / Float.BYTES];
      packed.asFloatBuffer().get(values);
      if (channels >= 1 && values.length > 0 && values.length % channels == 0) {
        return new NumberList(channels, values);
      }
    } catch (IllegalArgumentException e) {
      // said below
    }
    String shown = text.length() > 40 ? text.substring(0, 40) : text;
    throw new IllegalArgumentException("[" + shown + "] is a text, and no list of numbers");
  }

  /** As a request has it: of one channel a list of numbers, else of lists. */
  public static List<?> asRequested(String text) {
    NumberList list = of(text);
    List<Object> steps = new ArrayList<>();
    for (int at = 0; at < list.values.length; at += list.channels) {
      List<Float> step = new ArrayList<>();
      for (int channel = 0; channel < list.channels; channel++) {
        step.add(list.values[at + channel]);
      }
      steps.add(list.channels == 1 ? step.get(0) : step);
    }
    return steps;
  }

  private static List<?> asList(Object value) {
    if (value instanceof List<?> list) {
      return list;
    }
    throw new IllegalArgumentException("it is " + what(value) + ", not a list of numbers");
  }

  private static void requireStep(Object value, int place, int channels) {
    if (!(value instanceof List<?> step)) {
      throw new IllegalArgumentException(
          "it has " + what(value) + " at [" + place + "], and a list of channels at [0]");
    }
    if (step.isEmpty() || step.size() != channels) {
      throw new IllegalArgumentException(
          "it has "
              + step.size()
              + " channels at ["
              + place
              + "], and "
              + channels
              + " at [0]; each step has as many, and one at least");
    }
  }

  private static void put(List<?> step, String at, ByteBuffer packed) {
    for (int channel = 0; channel < step.size(); channel++) {
      packed.putFloat(number(step.get(channel), at + "[" + channel + "]"));
    }
  }

  private static float number(Object value, String at) {
    if (!(value instanceof Number number)) {
      throw new IllegalArgumentException(
          "it has " + what(value) + " at " + at + ", where a number must be");
    }
    float read = (float) number.doubleValue();
    if (!Float.isFinite(read)) {
      throw new IllegalArgumentException(
          "it has a number at " + at + " that no float of 32 bits can hold");
    }
    return read == 0 ? 0 : read; // without the sign of -0.0
  }

  private static String what(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Boolean) {
      return "a boolean";
    }
    if (value instanceof Number) {
      return "a number";
    }
    if (value instanceof List<?>) {
      return "a list";
    }
    return value instanceof Map<?, ?> ? "an object" : "a string";
  }
}
