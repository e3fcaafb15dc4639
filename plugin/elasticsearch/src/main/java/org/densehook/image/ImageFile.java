package org.densehook.image;

import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An image as its file has it.
 *
 * @param content the file
 * @param header what it says before its pixels
 */
public record ImageFile(byte[] content, ImageHeader header) {

  private static final Pattern DATA_URL =
      Pattern.compile("data:[^,]*?(;base64)?,", Pattern.CASE_INSENSITIVE);

  private static final String NO_IMAGE =
      "it is no image in base64, by itself or in a data URL (data:image/png;base64,…)";

  /**
   * The image that a string holds, as base64, which may be in lines, or as a data URL of it.
   *
   * @throws ImageException for another string, for what is neither JPEG nor PNG or cannot be read
   *     by all alike, and for one that is too large: it is not decoded to see that
   */
  public static ImageFile of(String given, ImageLimits limits) throws ImageException {
    byte[] content = content(given, limits);
    ImageHeader header = ImageHeader.read(content);
    limits.requireSize(header);
    return new ImageFile(content, header);
  }

  private static byte[] content(String given, ImageLimits limits) throws ImageException {
    Matcher url = DATA_URL.matcher(given);
    boolean isUrl = url.lookingAt();
    if (isUrl && url.group(1) == null) {
      throw new ImageException(NO_IMAGE);
    }
    String base64 = (isUrl ? given.substring(url.end()) : given).strip();
    limits.requireBytes(base64.length() / 4L * 3);
    byte[] content;
    try {
      content = Base64.getDecoder().decode(base64.replace("\r", "").replace("\n", ""));
    } catch (IllegalArgumentException e) {
      throw new ImageException(NO_IMAGE);
    }
    if (content.length == 0) {
      throw new ImageException(NO_IMAGE);
    }
    return content;
  }
}
