package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.densehook.bundle.Blank;
import org.densehook.encode.Content;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;

/** What a search looks for, as requests and messages hold it: a text, or an image. */
final class AskedContent {

  static final ParseField TEXT = new ParseField("text");
  static final ParseField IMAGE = new ParseField("image");

  private AskedContent() {}

  /**
   * The one of the two that is stated.
   *
   * @param asker who is asked, as {@code query [dense]}
   * @throws IllegalArgumentException where none or both are
   */
  static Content of(String text, String image, String asker) {
    if ((text == null) == (image == null)) {
      throw new IllegalArgumentException(
          asker + " needs either [text] or [image]; state one of them");
    }
    return text == null ? new Content.Image(image) : new Content.Text(text);
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

  /** What a node reads that knows no images: nothing to search for. */
  static String asText(Content content) {
    return content instanceof Content.Text text ? text.given() : "";
  }

  static void writeImage(StreamOutput body, Content content) throws IOException {
    body.writeOptionalString(content instanceof Content.Image image ? image.given() : null);
  }

  static Content read(String text, StreamInput body, int version) throws IOException {
    String image = version < 5 ? null : body.readOptionalString();
    return image == null ? new Content.Text(text) : new Content.Image(image);
  }

  static void toXContent(XContentBuilder builder, Content content) throws IOException {
    builder.field(key(content).getPreferredName(), content.given());
  }
}
