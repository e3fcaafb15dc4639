package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.densehook.encode.Content;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.junit.jupiter.api.Test;

class WireTest {

  private static StreamInput input(Wire.Writer writer) throws IOException {
    BytesStreamOutput out = new BytesStreamOutput();
    writer.write(out);
    return out.bytes().streamInput();
  }

  /** A message as another version of the plugin writes it. */
  private static void other(StreamOutput out, int version, int oldestReader, Wire.Writer body)
      throws IOException {
    BytesStreamOutput content = new BytesStreamOutput();
    body.write(content);
    out.writeVInt(version);
    out.writeVInt(oldestReader);
    out.writeBytesReference(content.bytes());
  }

  @Test
  void aMessageComesBackAsItWas() throws IOException {
    StreamInput in =
        input(
            out -> {
              Wire.write(out, body -> body.writeStringCollection(List.of("a", "b")));
              out.writeString("next");
            });
    assertEquals(
        List.of("a", "b"), Wire.read(in, (body, version) -> body.readStringCollectionAsList()));
    assertEquals("next", in.readString());
  }

  @Test
  void whatALaterVersionAddedIsSkipped() throws IOException {
    StreamInput in =
        input(
            out -> {
              other(
                  out,
                  Wire.VERSION + 1,
                  1,
                  body -> {
                    body.writeString("known");
                    body.writeString("added");
                  });
              out.writeString("next");
            });
    assertEquals("known", Wire.read(in, (body, version) -> body.readString()));
    assertEquals("next", in.readString());
  }

  @Test
  void theReaderLearnsWhatAnEarlierVersionDidNotWrite() throws IOException {
    StreamInput in = input(out -> other(out, 0, 0, body -> body.writeString("known")));
    String read =
        Wire.read(
            in,
            (body, version) -> body.readString() + (version >= 1 ? body.readString() : " only"));
    assertEquals("known only", read);
  }

  @Test
  void whatMustNotBeSkippedIsRefusedWithWhatToDo() throws IOException {
    int later = Wire.VERSION + 1;
    StreamInput in = input(out -> other(out, later, later, body -> body.writeString("x")));
    IOException refusal =
        assertThrows(IOException.class, () -> Wire.read(in, (body, version) -> body.readString()));
    assertTrue(refusal.getMessage().contains("upgrade the plugin on this node"));
  }

  @Test
  void aQuerysInstructionIsForReadersThatKnowItAlone() throws IOException {
    Wire.Writer body = content -> content.writeString("body");
    for (String instruction : new String[] {null, "Find a cat"}) {
      StreamInput in = input(out -> Wire.write(out, new Content.Text("a", instruction), body));
      assertEquals(Wire.VERSION, in.readVInt());
      assertEquals(instruction == null ? 1 : 5, in.readVInt());
    }
  }

  @Test
  void aStatusOfALaterVersionIsReadAsFarAsItIsKnown() throws IOException {
    StreamInput in =
        input(
            out ->
                other(
                    out,
                    Wire.VERSION + 1,
                    1,
                    body -> {
                      body.writeString("tiny");
                      body.writeEnum(EncoderStatus.State.LOADING);
                      body.writeOptionalString(null);
                      body.writeOptionalWriteable(null);
                      body.writeString("added later");
                    }));
    assertEquals(
        new EncoderStatus("tiny", EncoderStatus.State.LOADING, null, null), EncoderStatus.read(in));
    assertEquals(-1, in.read());
  }
}
