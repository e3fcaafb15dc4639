package org.densehook.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What an image file says before its pixels: read by itself, so that nothing too large is decoded,
 * as the Python package reads it. JPEG (ITU T.81, JFIF 1.02) and PNG (RFC 2083).
 *
 * @param format as Java's image readers are named
 * @param orientation Exif's number, from 1, upright, to 8
 */
public record ImageHeader(String format, int width, int height, int orientation) {

  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final byte[] JPEG = {(byte) 0xff, (byte) 0xd8, (byte) 0xff};
  private static final String EXIF = "Exif\0\0";
  private static final int PNG_SIZES = 16;
  private static final Set<Integer> WITHOUT_ALPHA = Set.of(0, 2);

  private static final List<Integer> FRAMES = List.of(0xc0, 0xc1, 0xc2);
  private static final Set<Integer> OTHER_FRAMES =
      Set.of(0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf);
  private static final int SCAN = 0xda;
  private static final int END = 0xd9;
  private static final int APP1 = 0xe1;

  // of segments by which decoders know that the channels are YCbCr, or not
  private static final Map<Integer, String> COLOURED =
      Map.of(0xe0, "JFIF\0", APP1, EXIF, 0xee, "Adobe");

  private static final int ORIENTATION = 0x0112;
  private static final int SHORT = 3;
  private static final int ENTRY = 12;

  private static final String DAMAGED =
      "its header is damaged; it must be a whole JPEG or PNG file";

  /**
   * Reads an image file's header.
   *
   * @throws ImageException for what is neither JPEG nor PNG, and for those that two decoders would
   *     not read alike: 16 bits a channel, one transparent colour, CMYK, JPEGs of rare sorts
   */
  static ImageHeader read(byte[] content) throws ImageException {
    try {
      if (startsWith(content, PNG)) {
        return ofPng(ByteBuffer.wrap(content));
      }
      if (startsWith(content, JPEG)) {
        return ofJpeg(ByteBuffer.wrap(content));
      }
    } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new ImageException(DAMAGED);
    }
    throw new ImageException(
        "it is no image that is read: neither JPEG nor PNG; convert it to one");
  }

  private static boolean startsWith(byte[] content, byte[] first) {
    return content.length >= first.length
        && Arrays.equals(content, 0, first.length, first, 0, first.length);
  }

  private static ImageHeader ofPng(ByteBuffer content) throws ImageException {
    int width = content.getInt(PNG_SIZES);
    int height = content.getInt(PNG_SIZES + 4);
    int depth = content.get(PNG_SIZES + 8);
    int colour = content.get(PNG_SIZES + 9);
    if (!name(content, PNG_SIZES - 4).equals("IHDR")) {
      throw new ImageException(DAMAGED);
    }
    if (depth == 16) {
      throw new ImageException("it is a PNG of 16 bits a channel; save it with 8");
    }
    int orientation = 1;
    int at = PNG.length;
    while (at + 8 <= content.limit() && !name(content, at + 4).equals("IDAT")) {
      int length = content.getInt(at);
      String name = name(content, at + 4);
      if (name.equals("tRNS") && WITHOUT_ALPHA.contains(colour)) {
        throw new ImageException(
            "it is a PNG with a transparent colour; save it with alpha, or none");
      }
      if (name.equals("eXIf")) {
        orientation = orientationIn(content.slice(at + 8, length));
      }
      at = Math.addExact(at + 12, requirePositive(length));
    }
    return new ImageHeader(Png.FORMAT, width, height, orientation);
  }

  private static int requirePositive(int length) throws ImageException {
    if (length < 0 || length > Integer.MAX_VALUE / 2) {
      throw new ImageException(DAMAGED);
    }
    return length;
  }

  private static String name(ByteBuffer content, int at) {
    byte[] name = new byte[4];
    content.get(at, name);
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private static ImageHeader ofJpeg(ByteBuffer content) throws ImageException {
    Map<Integer, ByteBuffer> segments = segments(content);
    if (segments.keySet().stream().anyMatch(OTHER_FRAMES::contains)) {
      throw new ImageException("it is a JPEG that is neither baseline nor progressive; save it so");
    }
    ByteBuffer frame =
        FRAMES.stream()
            .map(segments::get)
            .filter(each -> each != null)
            .findFirst()
            .orElseThrow(() -> new ImageException(DAMAGED));
    int depth = frame.get(0) & 0xff;
    int height = frame.getShort(1) & 0xffff;
    int width = frame.getShort(3) & 0xffff;
    int channels = frame.get(5) & 0xff;
    if (depth != 8) {
      throw new ImageException("it is a JPEG of " + depth + " bits a channel; save it with 8");
    }
    if (channels != 1 && channels != 3) {
      throw new ImageException(
          "it is a JPEG of " + channels + " channels, as CMYK; save it as RGB");
    }
    if (channels == 3
        && COLOURED.entrySet().stream()
            .noneMatch(known -> begins(segments.get(known.getKey()), known.getValue()))) {
      throw new ImageException(
          "it is a JPEG that is neither JFIF nor Exif nor Adobe's; save it as JFIF");
    }
    ByteBuffer exif = segments.get(APP1);
    int orientation =
        begins(exif, EXIF)
            ? orientationIn(exif.slice(EXIF.length(), exif.limit() - EXIF.length()))
            : 1;
    return new ImageHeader("jpeg", width, height, orientation);
  }

  private static boolean begins(ByteBuffer segment, String name) {
    if (segment == null || segment.limit() < name.length()) {
      return false;
    }
    byte[] first = new byte[name.length()];
    segment.get(0, first);
    return name.equals(new String(first, StandardCharsets.ISO_8859_1));
  }

  /** The first of each marker, before the pixels. */
  private static Map<Integer, ByteBuffer> segments(ByteBuffer content) throws ImageException {
    Map<Integer, ByteBuffer> found = new HashMap<>();
    int at = 2;
    while (true) {
      if ((content.get(at) & 0xff) != 0xff) {
        throw new ImageException(DAMAGED);
      }
      while ((content.get(at) & 0xff) == 0xff) {
        at++;
      }
      int marker = content.get(at++) & 0xff;
      if (marker == SCAN || marker == END) {
        return found;
      }
      if (marker == 0x01 || marker >= 0xd0 && marker < 0xd8) { // without a length
        continue;
      }
      int length = content.getShort(at) & 0xffff;
      int end = Math.min(content.limit(), at + length);
      found.putIfAbsent(marker, content.slice(at + 2, Math.max(0, end - at - 2)));
      at += length;
    }
  }

  /** Of Exif's first directory; 1 where it says none, or nothing that can be. */
  private static int orientationIn(ByteBuffer tiff) {
    if (tiff.limit() < 8) {
      return 1;
    }
    String order = name(tiff, 0);
    if (!order.equals("II*\0") && !order.equals("MM\0*")) {
      return 1;
    }
    tiff.order(order.startsWith("I") ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    try {
      int first = tiff.getInt(4);
      int entries = tiff.getShort(first) & 0xffff;
      for (int entry = 0; entry < entries; entry++) {
        int at = first + 2 + ENTRY * entry;
        int value = tiff.getShort(at + 8) & 0xffff;
        tiff.getShort(at + 10); // a directory that ends before is none
        if ((tiff.getShort(at) & 0xffff) == ORIENTATION
            && (tiff.getShort(at + 2) & 0xffff) == SHORT
            && value >= 1
            && value <= 8) {
          return value;
        }
      }
    } catch (IndexOutOfBoundsException e) {
      return 1;
    }
    return 1;
  }
}
