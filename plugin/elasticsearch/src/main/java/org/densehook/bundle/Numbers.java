package org.densehook.bundle;

import java.util.HashSet;
import java.util.Set;

/**
 * One vector for a list of numbers.
 *
 * <p>The graph takes them as {@code numbers}, float32 [batch, numbers], step by step, where a text
 * has its token ids; each number is a token, and the manifest's {@code max_tokens} is how many of a
 * list are read. There is no tokenizer.
 *
 * @param dense what vectors are
 * @param channels how many numbers a step has
 * @param fixedLength whether a list has just so many numbers as are read
 */
public record Numbers(Dense dense, int channels, boolean fixedLength) implements Part {

  /** The graph's input, and the key of a golden list's numbers. */
  public static final String INPUT = "numbers";

  private static final String CHANNELS = "channels";
  private static final String FIXED_LENGTH = "fixed_length";

  static final Set<String> KEYS = keys();

  private static Set<String> keys() {
    Set<String> keys = new HashSet<>(Dense.KEYS);
    keys.add(CHANNELS);
    keys.add(FIXED_LENGTH);
    return Set.copyOf(keys);
  }

  @Override
  public int dims() {
    return dense.dims();
  }

  @Override
  public boolean normalises() {
    return dense.normalise();
  }

  static Numbers read(Stated stated) throws BundleException {
    Dense dense = Dense.read(stated);
    int channels = stated.number(CHANNELS, 1);
    int most = stated.number("max_tokens", 1);
    if (most % channels != 0) {
      throw new BundleException(
          "encoder.json: max_tokens is "
              + most
              + "; it must be whole steps of "
              + channels
              + " channels");
    }
    return new Numbers(dense, channels, stated.truth(FIXED_LENGTH));
  }
}
