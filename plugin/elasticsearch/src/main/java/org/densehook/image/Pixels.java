package org.densehook.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * A decoded image: upright, RGB, on white where it is transparent.
 *
 * @param values uint8 [height, width, 3], outside of the heap
 */
public record Pixels(int height, int width, ByteBuffer values) {

  private static final int CHANNELS = 3;
  private static final int WHITE = 255;

  // how Java's reader of JPEG says that it made up what is missing
  private static final String CUT_SHORT = "Truncated File";

  /**
   * Decodes a file whose header was looked at.
   *
   * @throws ImageException when it is damaged
   */
  public static Pixels of(ImageFile file) throws ImageException {
    return upright(decoded(file), file.header().orientation());
  }

  private static BufferedImage decoded(ImageFile file) throws ImageException {
    ImageReader reader = ImageIO.getImageReadersByFormatName(file.header().format()).next();
    AtomicReference<String> cutShort = new AtomicReference<>();
    reader.addIIOReadWarningListener(
        (source, warning) -> {
          if (warning.startsWith(CUT_SHORT)) {
            cutShort.set(warning);
          }
        });
    try (ImageInputStream content =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(read(file)))) {
      reader.setInput(content, true, true);
      BufferedImage image = reader.read(0);
      if (cutShort.get() != null) {
        throw new ImageException("the image cannot be decoded: " + cutShort.get());
      }
      return image;
    } catch (IOException | RuntimeException e) { // readers throw either at a damaged file
      String said = e.getMessage() == null ? "it is damaged" : e.getMessage();
      throw new ImageException("the image cannot be decoded: " + said);
    } finally {
      reader.dispose();
    }
  }

  private static byte[] read(ImageFile file) throws ImageException {
    return file.header().format().equals(Png.FORMAT)
        ? Png.pixelsAlone(file.content())
        : file.content();
  }

  private static Pixels upright(BufferedImage image, int orientation) {
    int width = image.getWidth();
    int height = image.getHeight();
    boolean isTurned = orientation > 4; // its rows are columns
    Pixels pixels =
        isTurned
            ? new Pixels(width, height, ByteBuffer.allocateDirect(width * height * CHANNELS))
            : new Pixels(height, width, ByteBuffer.allocateDirect(width * height * CHANNELS));
    byte[] row = new byte[width * CHANNELS];
    Row rows = rows(image);
    for (int y = 0; y < height; y++) {
      rows.read(y, row);
      if (orientation == 1) {
        pixels.values.put(y * row.length, row);
        continue;
      }
      for (int x = 0; x < width; x++) {
        pixels.values.put(
            pixels.place(x, y, width, height, orientation), row, x * CHANNELS, CHANNELS);
      }
    }
    return pixels;
  }

  /** Where the pixel at a place of the file stands. */
  private int place(int x, int y, int fileWidth, int fileHeight, int orientation) {
    int right = fileWidth - 1 - x;
    int below = fileHeight - 1 - y;
    int column =
        switch (orientation) {
          case 2, 3 -> right;
          case 5, 8 -> y;
          case 6, 7 -> below;
          default -> x;
        };
    int line =
        switch (orientation) {
          case 3, 4 -> below;
          case 5, 6 -> x;
          case 7, 8 -> right;
          default -> y;
        };
    return (line * width + column) * CHANNELS;
  }

  /** Reads a row as RGB. */
  @FunctionalInterface
  private interface Row {
    void read(int y, byte[] into);
  }

  /** By the values that the file has, whatever colours a profile says they are. */
  private static Row rows(BufferedImage image) {
    int width = image.getWidth();
    if (image.getColorModel() instanceof IndexColorModel) {
      int[] colours = new int[width];
      return (y, into) -> {
        image.getRGB(0, y, width, 1, colours, 0, width);
        for (int x = 0; x < width; x++) {
          int alpha = colours[x] >>> 24;
          for (int channel = 0; channel < CHANNELS; channel++) {
            into[x * CHANNELS + channel] =
                onWhite(colours[x] >> 8 * (CHANNELS - 1 - channel) & 0xff, alpha);
          }
        }
      };
    }
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    boolean hasAlpha = bands == 2 || bands == 4;
    boolean isGrey = bands < CHANNELS;
    int[] values = new int[width * bands];
    return (y, into) -> {
      raster.getPixels(0, y, width, 1, values);
      for (int x = 0; x < width; x++) {
        int alpha = hasAlpha ? values[x * bands + bands - 1] : WHITE;
        for (int channel = 0; channel < CHANNELS; channel++) {
          into[x * CHANNELS + channel] = onWhite(values[x * bands + (isGrey ? 0 : channel)], alpha);
        }
      }
    };
  }

  private static byte onWhite(int value, int alpha) {
    return (byte) ((value * alpha + WHITE * (WHITE - alpha) + WHITE / 2) / WHITE);
  }
}
