package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Map;
import org.densehook.bundle.Blank;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.Content;
import org.densehook.encode.NumberList;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.xcontent.XContentParserUtils;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;

/** What a search looks for, as requests and messages hold it: a text, an image, or numbers. */
final class AskedContent {

  static final ParseField TEXT = new ParseField("text");
  static final ParseField IMAGE = new ParseField("image");
  static final ParseField NUMBERS = new ParseField("numbers");
  static final ParseField INSTRUCTION = new ParseField("instruction");

  private static final Map<ParseField, String> WANTED =
      Map.of(TEXT, "a text", IMAGE, "an image", NUMBERS, "a list of them");

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

  /**
   * The same where numbers can be searched as well.
   *
   * @param numbers as {@link #numbers} reads them, or null
   */
  static Content of(String text, String image, Object numbers, String instruction, String asker) {
    if (numbers == null && (text == null) == (image == null)) {
      throw new IllegalArgumentException(
          asker + " needs either [text] or [image], or [numbers]; state one of them");
    }
    if (numbers == null) {
      return of(text, image, instruction, asker);
    }
    if (text != null || image != null || instruction != null) {
      throw new IllegalArgumentException(
          asker + " has [numbers]; state no [text], [image] and [instruction] beside them");
    }
    try {
      return new Content.Numbers(NumberList.text(numbers));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("[numbers] of " + asker + ": " + e.getMessage(), e);
    }
  }

  /** Has a parser take numbers, whatever is stated in their place. */
  static <T> void declareNumbers(ConstructingObjectParser<T, ?> parser) {
    parser.declareField(
        ConstructingObjectParser.optionalConstructorArg(),
        (body, context) -> XContentParserUtils.parseFieldsValue(body),
        NUMBERS,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
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
              + WANTED.get(key)
              + " to search for");
    }
    return content;
  }

  static ParseField key(Content content) {
    if (content instanceof Content.Numbers) {
      return NUMBERS;
    }
    return content instanceof Content.Image ? IMAGE : TEXT;
  }

  /** Its text; of what has none, nothing. */
  static String asText(Content content) {
    return content instanceof Content.Text text ? text.given() : "";
  }

  /** What of it is not its text. */
  static void writeRest(StreamOutput body, Content content) throws IOException {
    body.writeOptionalString(content instanceof Content.Image image ? image.given() : null);
    body.writeOptionalString(content.instruction());
    body.writeOptionalString(content instanceof Content.Numbers list ? list.given() : null);
  }

  /** Reads what {@link #writeRest} wrote. */
  static Content read(String text, StreamInput body, int version) throws IOException {
    String image = version < Wire.CONTENTS ? null : body.readOptionalString();
    String instruction = Wire.readInstruction(body, version);
    String numbers = version < Wire.NUMBERS ? null : body.readOptionalString();
    if (numbers != null) {
      return new Content.Numbers(numbers);
    }
    return image == null ? new Content.Text(text, instruction) : new Content.Image(image);
  }

  static void toXContent(XContentBuilder builder, Content content) throws IOException {
    boolean isList = content instanceof Content.Numbers;
    Object given = isList ? NumberList.asRequested(content.given()) : content.given();
    builder.field(key(content).getPreferredName(), given);
    if (content.instruction() != null) {
      builder.field(INSTRUCTION.getPreferredName(), content.instruction());
    }
  }
}
