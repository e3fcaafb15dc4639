package org.densehook.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;

/** The query maxsim on its way between nodes. */
final class MaxsimQueryBuilderTest {

  private static MaxsimQueryBuilder parsed(String asked) throws IOException {
    String json = "{\"field\": \"f\", " + asked.replace('\'', '"') + "}";
    try (XContentParser parser =
        JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, json)) {
      parser.nextToken();
      return MaxsimQueryBuilder.fromXContent(parser, () -> null);
    }
  }

  private static StreamInput sent(MaxsimQueryBuilder query) throws IOException {
    BytesStreamOutput out = new BytesStreamOutput();
    query.writeTo(out);
    return out.bytes().streamInput();
  }

  @Test
  void itComesBackAsItWas() throws IOException {
    for (String asked :
        List.of("'text': 'water'", "'image': 'iVBOR'", "'query_vectors': [[1, 2]]")) {
      MaxsimQueryBuilder query = parsed(asked + ", 'boost': 2, '_name': 'n'");
      MaxsimQueryBuilder read = new MaxsimQueryBuilder(() -> null, sent(query));
      assertEquals(query, read);
      assertEquals(query.hashCode(), read.hashCode());
    }
  }

  @Test
  void noNodeReadsAnImagesQueryWithoutTheImage() throws IOException {
    for (String asked : List.of("'text': 'water'", "'image': 'iVBOR'")) {
      StreamInput in = sent(parsed(asked));
      in.readFloat();
      in.readOptionalString();
      assertEquals(Wire.VERSION, in.readVInt());
      assertEquals(asked.startsWith("'image'") ? Wire.MAXSIM_IMAGES : 1, in.readVInt());
    }
  }

  @Test
  void oneOfTheVersionBeforeImagesIsRead() throws IOException {
    BytesStreamOutput body = new BytesStreamOutput();
    body.writeString("f");
    body.writeOptionalString("water");
    body.writeOptionalWriteable(null);
    BytesStreamOutput out = new BytesStreamOutput();
    out.writeFloat(1);
    out.writeOptionalString(null);
    out.writeVInt(Wire.MAXSIM_IMAGES - 1);
    out.writeVInt(1);
    out.writeBytesReference(body.bytes());
    assertEquals(
        parsed("'text': 'water'"), new MaxsimQueryBuilder(() -> null, out.bytes().streamInput()));
  }
}
