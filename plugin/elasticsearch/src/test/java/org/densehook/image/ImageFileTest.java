package org.densehook.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileTest {

  private static final int DEPTH_IN_PNG = 24;

  private static final byte[] NOTHING = {};
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final byte[] ROWS = {0, 0, 1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 11};
  private static final byte[] PASSES = {0, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 9, 10, 11};
  private static final byte[] PIXELS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

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

  /** A chunk of a PNG. */
  private static byte[] chunk(String name, byte[] content) {
    byte[] body = joined(name.getBytes(StandardCharsets.ISO_8859_1), content);
    CRC32 sum = new CRC32();
    sum.update(body);
    byte[] length = ByteBuffer.allocate(4).putInt(content.length).array();
    return joined(length, body, ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
  }

  /** One whose check sum is another's. */
  private static byte[] unsound(byte[] chunk) {
    byte[] other = chunk.clone();
    other[other.length - 1] ^= 1;
    return other;
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] compressed(byte[] content) {
    ByteArrayOutputStream made = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflating = new DeflaterOutputStream(made)) {
      deflating.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return made.toByteArray();
  }

  /** Chunks that hold a text or a profile, which is compressed and large. */
  private static byte[] large(String name) {
    String before =
        switch (name) {
          case "iTXt" -> "Comment\0\1\0\0\0";
          default -> "Comment\0\0";
        };
    byte[] start = before.getBytes(StandardCharsets.ISO_8859_1);
    return chunk(name, joined(start, compressed(new byte[3 << 20])));
  }

  private static byte[] head(int colour, boolean isInterlaced) {
    byte[] head = {0, 0, 0, 2, 0, 0, 0, 2, 8, (byte) colour, 0, 0, (byte) (isInterlaced ? 1 : 0)};
    return chunk("IHDR", head);
  }

  private static byte[] ofChunks(byte[]... chunks) {
    return joined(SIGNATURE, joined(chunks), chunk("IEND", NOTHING));
  }

  /** 2 x 2 pixels in RGB, with chunks before and behind them. */
  private static byte[] rgb(byte[] before, byte[] behind) {
    return ofChunks(head(2, false), before, chunk("IDAT", compressed(ROWS)), behind);
  }

  /** The same pixels by a palette of four. */
  private static byte[] palette(byte[] before, byte[] behind) {
    byte[] rows = compressed(new byte[] {0, 0, 1, 0, 2, 3});
    byte[] colours = chunk("PLTE", PIXELS);
    return ofChunks(head(3, false), colours, before, chunk("IDAT", rows), behind);
  }

  /** As tests/image_files.py has them. */
  static Stream<Arguments> whatSaysNothingOfThePixels() {
    Stream<Arguments> large =
        Stream.of("zTXt", "iTXt", "iCCP")
            .flatMap(
                name ->
                    Stream.of(
                        Arguments.of("a large " + name, rgb(large(name), NOTHING)),
                        Arguments.of(name + " behind", rgb(NOTHING, large(name))),
                        Arguments.of("a palette and " + name, palette(large(name), NOTHING))));
    byte[] text = {'a', 0, 'b'};
    byte[] rest = compressed(Arrays.copyOf(ROWS, 30_000_000));
    Stream<Arguments> others =
        Stream.of(
            Arguments.of("interlaced", ofChunks(head(2, true), chunk("IDAT", compressed(PASSES)))),
            Arguments.of("30 MB behind", ofChunks(head(2, false), chunk("IDAT", rest))),
            Arguments.of("no zlib", rgb(chunk("zTXt", text), NOTHING)),
            Arguments.of("a damaged text", rgb(unsound(chunk("tEXt", text)), NOTHING)),
            Arguments.of("transparency behind", palette(NOTHING, chunk("tRNS", new byte[4]))),
            Arguments.of("two palettes", palette(chunk("PLTE", new byte[12]), NOTHING)),
            Arguments.of("an animation", palette(chunk("acTL", new byte[8]), NOTHING)),
            Arguments.of("a chunk that nobody knows", rgb(chunk("deNS", text), NOTHING)));
    return Stream.concat(large, others);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void whatSaysNothingOfThePixels(String name, byte[] file) {
    assertTrue(file.length < 50_000);
    assertTimeout(
        Duration.ofSeconds(2), () -> assertArrayEquals(PIXELS, values(base64(file)), name));
  }

  /** As tests/image_files.py has them. */
  static Stream<byte[]> whatHasFewerPixelsOrIsDamaged() {
    return Stream.of(
        ofChunks(head(2, false), chunk("IDAT", compressed(Arrays.copyOf(ROWS, 7)))),
        ofChunks(head(2, false), chunk("IDAT", compressed(Arrays.copyOf(ROWS, 13)))),
        ofChunks(head(2, true), chunk("IDAT", compressed(Arrays.copyOf(PASSES, 14)))),
        ofChunks(unsound(head(2, false)), chunk("IDAT", compressed(ROWS))),
        Arrays.copyOf(palette(NOTHING, NOTHING), 60),
        Arrays.copyOf(rgb(NOTHING, NOTHING), 27));
  }

  @ParameterizedTest
  @MethodSource
  void whatHasFewerPixelsOrIsDamaged(byte[] file) {
    ImageException refused = assertThrows(ImageException.class, () -> values(base64(file)));
    assertTrue(refused.getMessage().startsWith("the image cannot be decoded"), refused::getMessage);
  }

  @Test
  void aJpegOfTooManyPixelsIsRefusedByItsHeader() throws Exception {
    byte[] file = file(new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB), "jpeg");
    int frame = 0;
    while (file[frame] != (byte) 0xff || file[frame + 1] != (byte) 0xc0) {
      frame++;
    }
    ByteBuffer header = ByteBuffer.wrap(file);
    header.putShort(frame + 5, (short) 10_000).putShort(frame + 7, (short) 10_000);
    assertTrue(
        refusal(base64(file), ImageLimits.DEFAULT).contains("has 10000 x 10000 pixels, more"));
    header.putShort(frame + 5, (short) 3).putShort(frame + 7, (short) 16_400);
    assertTrue(refusal(base64(file), ImageLimits.DEFAULT).contains("a side may have 16384"));
    header.putShort(frame + 7, (short) 0);
    assertTrue(refusal(base64(file), ImageLimits.DEFAULT).contains("it must have some"));
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
