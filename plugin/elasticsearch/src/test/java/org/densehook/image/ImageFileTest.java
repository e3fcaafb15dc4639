package org.densehook.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileTest {

  private static final int DEPTH_IN_PNG = 24;

  private static byte[] png(int type, int... pixels) throws IOException {
    BufferedImage image = new BufferedImage(pixels.length, 1, type);
    image.setRGB(0, 0, pixels.length, 1, pixels, 0, pixels.length);
    return file(image, "png");
  }

  private static byte[] file(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write(image, format, file);
    return file.toByteArray();
  }

  private static String base64(byte[] content) {
    return Base64.getEncoder().encodeToString(content);
  }

  private static byte[] values(String given) throws ImageException {
    ByteBuffer values = Pixels.of(ImageFile.of(given, ImageLimits.DEFAULT)).values();
    byte[] all = new byte[values.capacity()];
    values.get(0, all);
    return all;
  }

  private static String refusal(String given, ImageLimits limits) {
    return assertThrows(ImageException.class, () -> ImageFile.of(given, limits)).getMessage();
  }

  /** A header that says so many pixels, with nothing behind it. */
  private static byte[] bomb(int width, int height) throws IOException {
    byte[] file = png(BufferedImage.TYPE_INT_RGB, 0);
    ByteBuffer.wrap(file).putInt(16, width).putInt(20, height);
    return file;
  }

  @Test
  void transparentPixelsAreMixedWithWhite() throws Exception {
    byte[] file = png(BufferedImage.TYPE_INT_ARGB, 0x00123456, 0x80000000, 0xff102030);
    byte[] expected = {-1, -1, -1, 127, 127, 127, 0x10, 0x20, 0x30};
    assertArrayEquals(expected, values(base64(file)));
    assertArrayEquals(expected, values("data:image/png;base64," + base64(file)));
    assertArrayEquals(expected, values(base64(file).replaceAll("(.{20})", "$1\r\n")));
  }

  @Test
  void palettesAndGreysAreReadAsColours() throws Exception {
    assertArrayEquals(
        new byte[] {0, 0, 0, -1, -1, -1},
        values(base64(png(BufferedImage.TYPE_BYTE_BINARY, 0xff000000, 0xffffffff))));
    byte[] indexed = values(base64(png(BufferedImage.TYPE_BYTE_INDEXED, 0xffff0000, 0xff0000ff)));
    assertArrayEquals(new byte[] {-1, 0, 0, 0, 0, -1}, indexed);
  }

  @ParameterizedTest
  @CsvSource({"1,abc", "2,cba", "3,cba", "4,abc", "5,abc", "6,abc", "7,cba", "8,cba"})
  void anImageIsTurnedUpright(int orientation, String order) throws Exception {
    byte[] file = png(BufferedImage.TYPE_INT_RGB, 0xff0a0a0a, 0xff0b0b0b, 0xff0c0c0c);
    ImageHeader header = new ImageHeader("png", 3, 1, orientation);
    Pixels pixels = Pixels.of(new ImageFile(file, header));
    assertEquals(orientation > 4 ? 3 : 1, pixels.height());
    StringBuilder found = new StringBuilder();
    for (int pixel = 0; pixel < 3; pixel++) {
      found.append((char) (pixels.values().get(3 * pixel) - 10 + 'a'));
    }
    assertEquals(order, found.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a cat", "data:image/png,abc", "", "====", "aGVsbG8= aGVsbG8="})
  void whatIsNoBase64IsRefused(String given) {
    assertTrue(refusal(given, ImageLimits.DEFAULT).startsWith("it is no image in base64"));
  }

  @Test
  void whatIsNoImageIsRefused() {
    String text = base64("hello, I am no image".getBytes(StandardCharsets.UTF_8));
    assertEquals(
        "it is no image that is read: neither JPEG nor PNG; convert it to one",
        refusal(text, ImageLimits.DEFAULT));
  }

  @Test
  void tooManyPixelsAreRefusedByTheHeader() throws Exception {
    assertEquals(
        "the image has 10000 x 10000 pixels, more than [densehook.image.max_pixels] of 50000000;"
            + " make it smaller",
        refusal(base64(bomb(10_000, 10_000)), ImageLimits.DEFAULT));
    assertTrue(
        refusal(base64(bomb(20_000, 2)), ImageLimits.DEFAULT).contains("a side may have 16384"));
    assertTrue(refusal(base64(bomb(0, 7)), ImageLimits.DEFAULT).contains("it must have some"));
  }

  @Test
  void tooManyBytesAreRefused() throws Exception {
    String file = base64(png(BufferedImage.TYPE_INT_RGB, 1, 2, 3));
    assertTrue(
        refusal(file, new ImageLimits(16, 100)).contains("[densehook.image.max_bytes] of 16"));
  }

  @Test
  void sixteenBitsAreRefused() throws Exception {
    byte[] file = png(BufferedImage.TYPE_INT_RGB, 1, 2);
    file[DEPTH_IN_PNG] = 16;
    assertEquals(
        "it is a PNG of 16 bits a channel; save it with 8",
        refusal(base64(file), ImageLimits.DEFAULT));
  }

  @Test
  void aJpegThatEndsTooSoonIsRefused() throws Exception {
    byte[] file = file(new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB), "jpeg");
    assertEquals(64 * 64 * 3, values(base64(file)).length);
    String cut = base64(Arrays.copyOf(file, file.length - 40));
    ImageException refused = assertThrows(ImageException.class, () -> values(cut));
    assertTrue(refused.getMessage().startsWith("the image cannot be decoded: Truncated File"));
  }

  @Test
  void aDamagedFileIsRefused() throws Exception {
    byte[] file = png(BufferedImage.TYPE_INT_RGB, 1, 2, 3, 4, 5, 6);
    byte[] cut = Arrays.copyOf(file, file.length - 30);
    assertThrows(ImageException.class, () -> values(base64(cut)));
    assertTrue(
        refusal(base64(Arrays.copyOf(file, 20)), ImageLimits.DEFAULT)
            .startsWith("its header is damaged"));
  }
}
