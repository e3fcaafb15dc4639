package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.densehook.bundle.Blank;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.Content;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;

/** What a search looks for, as requests and messages hold it: a text, or an image. */
final class AskedContent {

  static final ParseField TEXT = new ParseField("text");
  static final ParseField IMAGE = new ParseField("image");
  static final ParseField INSTRUCTION = new ParseField("instruction");

  private AskedContent() {}

  /**
   * The one of the two that is stated.
   *
   * @param instruction of a text, or null
   * @param asker who is asked, as {@code query [dense]}
   * @throws IllegalArgumentException where none or both are, or an image has an instruction
   */
  static Content of(String text, String image, String instruction, String asker) {
    if ((text == null) == (image == null)) {
      throw new IllegalArgumentException(
          asker + " needs either [text] or [image]; state one of them");
    }
    if (text == null && instruction != null) {
      throw new IllegalArgumentException(
          "[instruction] of " + asker + " is for a [text]; leave it out for an image");
    }
    return text == null ? new Content.Image(image) : new Content.Text(text, instruction);
  }

  /** Refuses a blank one. */
  static Content requireSome(Content content, String asker) {
    if (Blank.is(content.given())) {
      ParseField key = key(content);
      throw new IllegalArgumentException(
          "["
              + key.getPreferredName()
              + "] of "
              + asker
              + " is blank; give "
              + (key == TEXT ? "a text" : "an image")
              + " to search for");
    }
    return content;
  }

  static ParseField key(Content content) {
    return content instanceof Content.Image ? IMAGE : TEXT;
  }

  /** Its text; of an image, which has none, nothing. */
  static String asText(Content content) {
    return content instanceof Content.Text text ? text.given() : "";
  }

  /** What of it is not its text. */
  static void writeRest(StreamOutput body, Content content) throws IOException {
    body.writeOptionalString(content instanceof Content.Image image ? image.given() : null);
    body.writeOptionalString(content.instruction());
  }

  /** Reads what {@link #writeRest} wrote. */
  static Content read(String text, StreamInput body, int version) throws IOException {
    String image = version < Wire.CONTENTS ? null : body.readOptionalString();
    String instruction = Wire.readInstruction(body, version);
    return image == null ? new Content.Text(text, instruction) : new Content.Image(image);
  }

  static void toXContent(XContentBuilder builder, Content content) throws IOException {
    builder.field(key(content).getPreferredName(), content.given());
    if (content.instruction() != null) {
      builder.field(INSTRUCTION.getPreferredName(), content.instruction());
    }
  }
}
