package org.densehook.image;

/**
 * What an image may have at most.
 *
 * @param bytes of its file
 * @param pixels of it, decoded
 */
public record ImageLimits(long bytes, long pixels) {

  /** What is shown of them where one is exceeded. */
  public static final String BYTES_SETTING = "densehook.image.max_bytes";

  public static final String PIXELS_SETTING = "densehook.image.max_pixels";

  /** Those of a node that is told no others. */
  public static final ImageLimits DEFAULT = new ImageLimits(20 << 20, 50_000_000);

  /** Of the longer side, in pixels. */
  static final int MOST_OF_A_SIDE = 16_384;

  void requireBytes(long size) throws ImageException {
    if (size > bytes) {
      throw new ImageException(
          "the image has "
              + size
              + " bytes, more than ["
              + BYTES_SETTING
              + "] of "
              + bytes
              + "; make it smaller, or compress it");
    }
  }

  void requireSize(ImageHeader header) throws ImageException {
    String shown = "the image has " + header.width() + " x " + header.height() + " pixels";
    if (header.width() <= 0 || header.height() <= 0) {
      throw new ImageException(shown + "; it must have some");
    }
    if ((long) header.width() * header.height() > pixels) {
      throw new ImageException(
          shown + ", more than [" + PIXELS_SETTING + "] of " + pixels + "; make it smaller");
    }
    if (Math.max(header.width(), header.height()) > MOST_OF_A_SIDE) {
      throw new ImageException(
          shown + ", and a side may have " + MOST_OF_A_SIDE + "; make it smaller");
    }
  }
}
