package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.densehook.encode.LaneStats;
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

  /** The status of an encoder in service, as another version writes it. */
  private static StreamInput inService(int version, Wire.Writer kind, Wire.Writer also)
      throws IOException {
    EncoderStatus.Lane lane = EncoderStatus.Lane.of(new LaneStats().snapshot(), 0, 0, 0, 0);
    Wire.Writer loaded =
        body -> {
          body.writeString("sha256:aa");
          body.writeString("fp32");
          body.writeString("");
          body.writeBoolean(false);
          body.writeVInt(384);
          body.writeBoolean(true);
          body.writeVInt(256);
          body.writeVLong(1000);
          body.writeString("1.32.0");
          lane.writeTo(body);
          lane.writeTo(body);
          kind.write(body);
          body.writeString("");
          body.writeOptionalWriteable(null);
          body.writeOptionalString(null);
          also.write(body);
        };
    return input(
        out ->
            other(
                out,
                version,
                1,
                body -> {
                  body.writeString("tiny");
                  body.writeEnum(EncoderStatus.State.READY);
                  body.writeOptionalString(null);
                  body.writeOptionalWriteable(to -> other(to, version, 1, loaded));
                }));
  }

  private static Wire.Writer named(Map<String, Integer> dims) {
    return body -> body.writeMap(dims, StreamOutput::writeVInt);
  }

  @Test
  void anEncoderOfAKindThatIsNotKnownIsNoneThatCouldBeUsed() throws IOException {
    StreamInput in =
        inService(Wire.VERSION + 1, body -> body.writeString("later"), named(Map.of()));
    EncoderStatus read = EncoderStatus.read(in);
    assertEquals("tiny", read.name());
    assertEquals(EncoderStatus.State.FAILED, read.state());
    assertTrue(read.reason().endsWith("upgrade the plugin there"), read.reason());
    assertNull(read.loaded());
    assertNull(read.facts().fingerprint());
    assertEquals(-1, in.read());
  }

  @Test
  void ofSeveralKindsThoseThatAreKnownAreRead() throws IOException {
    Map<String, Integer> also = Map.of("multi", 16, "later", 3);
    StreamInput in =
        inService(Wire.VERSION + 1, body -> body.writeString("image-text"), named(also));
    EncoderStatus.Loaded loaded = EncoderStatus.read(in).loaded();
    assertEquals(Kind.IMAGE_TEXT, loaded.kind());
    assertEquals(Map.of(Kind.MULTI, 16), loaded.also());
    assertEquals(-1, in.read());
  }

  @Test
  void anEarlierVersionsKindsAreReadByTheirPlaces() throws IOException {
    StreamInput in =
        inService(
            Wire.KIND_NAMES - 1,
            body -> body.writeEnum(Kind.DENSE),
            body ->
                body.writeMap(
                    Map.of(Kind.SPARSE, 0), StreamOutput::writeEnum, StreamOutput::writeVInt));
    EncoderStatus.Loaded loaded = EncoderStatus.read(in).loaded();
    assertEquals(Kind.DENSE, loaded.kind());
    assertEquals(Map.of(Kind.SPARSE, 0), loaded.also());
  }

  @Test
  void noEarlierVersionReadsAKindsNameAsItsPlace() throws IOException {
    StreamInput in = inService(Wire.VERSION, body -> body.writeString("dense"), named(Map.of()));
    EncoderStatus.Loaded loaded = EncoderStatus.read(in).loaded();
    StreamInput sent = input(loaded::writeTo);
    assertEquals(Wire.VERSION, sent.readVInt());
    assertEquals(Wire.KIND_NAMES, sent.readVInt());
  }
}
