package org.densehook.bundle;

import java.util.HashSet;
import java.util.Set;

/**
 * One vector for a text or an image, of two towers in one space.
 *
 * <p>An image's is made by a graph of its own, {@code image.onnx}: it takes pixels, uint8 [height,
 * width, 3], RGB, upright, and gives float32 [1, dims].
 *
 * @param dense what vectors of both are
 * @param imageTokens how many tokens an image is to the model, by which its work is counted
 */
public record ImageText(Dense dense, int imageTokens) implements Part {

  /** The graph's input. */
  public static final String INPUT = "pixels";

  /** The graph's output. */
  public static final String OUTPUT = "embedding";

  private static final String IMAGE_TOKENS = "image_tokens";

  static final Set<String> KEYS = keys();

  private static Set<String> keys() {
    Set<String> keys = new HashSet<>(Dense.KEYS);
    keys.add(IMAGE_TOKENS);
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

  static ImageText read(Stated stated) throws BundleException {
    return new ImageText(Dense.read(stated), stated.number(IMAGE_TOKENS, 1));
  }
}
