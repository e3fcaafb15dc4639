package org.densehook.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * PNG files (RFC 2083) without the chunks that say nothing of their pixels, as the Python package
 * decodes them: what decoders do of texts and colour profiles differs, which may be compressed and
 * large.
 */
final class Png {

  /** As Java's image readers are named. */
  static final String FORMAT = "png";

  private static final int SIGNATURE = 8;
  private static final int BEFORE = 8; // a chunk's length and name
  private static final int AROUND = 12; // and its CRC
  private static final int NAME = 4;

  private static final Set<String> BEFORE_PIXELS = Set.of("IHDR", "PLTE", "tRNS");
  private static final String PIXELS = "IDAT";
  private static final String END = "IEND";

  private Png() {}

  /**
   * The file with what decoders need: header, palette and transparency, the pixels, the end. Of
   * those before the pixels the first of each name.
   *
   * @throws ImageException where one of these is damaged, which not every decoder asks
   */
  static byte[] pixelsAlone(byte[] content) throws ImageException {
    ByteBuffer file = ByteBuffer.wrap(content);
    ByteArrayOutputStream kept = new ByteArrayOutputStream(content.length);
    kept.write(content, 0, SIGNATURE);
    Set<String> before = new HashSet<>(BEFORE_PIXELS);
    boolean isOver = false;
    int at = SIGNATURE;
    while (!isOver && at + BEFORE <= content.length) {
      int length = file.getInt(at);
      String name = new String(content, at + NAME, NAME, StandardCharsets.ISO_8859_1);
      boolean isWhole = length >= 0 && length <= content.length - at - AROUND;
      int end = isWhole ? at + AROUND + length : content.length;
      isOver = name.equals(END);
      if (before.remove(name)) {
        requireSound(file, at, end);
        kept.write(content, at, end - at);
      } else if (isOver || name.equals(PIXELS)) {
        kept.write(content, at, end - at);
        before.clear();
      }
      at = end;
    }
    return kept.toByteArray();
  }

  private static void requireSound(ByteBuffer file, int start, int end) throws ImageException {
    CRC32 sum = new CRC32();
    if (end - start >= AROUND) {
      sum.update(file.slice(start + NAME, end - start - 2 * NAME));
    }
    if (end - start < AROUND || (int) sum.getValue() != file.getInt(end - NAME)) {
      throw new ImageException("the image cannot be decoded: it is damaged");
    }
  }
}
