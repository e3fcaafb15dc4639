package org.densehook.elasticsearch.service;

import java.io.IOException;
import org.densehook.encode.Content;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.NamedWriteableAwareStreamInput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;

/**
 * How this plugin's messages go from node to node, so that nodes with two versions of the plugin
 * understand each other. Elasticsearch's own transport version says nothing of plugins, and the
 * sender does not know the receiver's plugin; so each message says what it is.
 *
 * <p>A message is its writer's {@link #VERSION}, the oldest version that may read it, and a body
 * with its length. A later version adds to the end of a body and raises VERSION: an older node
 * reads what it knows and skips the rest, a newer one sees by the version what is not there. Where
 * what is added must not be skipped, {@link #OLDEST_READER} is raised too, and the older node says
 * so.
 */
public final class Wire {

  /** To be raised with every change to any message's body. */
  public static final int VERSION = 7;

  /** The oldest version that reads what this one writes. */
  public static final int OLDEST_READER = 1;

  /** The oldest version that reads images, and a query's instruction. */
  public static final int CONTENTS = 5;

  /** The oldest version whose query {@code maxsim} reads images. */
  public static final int MAXSIM_IMAGES = 6;

  /** The oldest version that reads numbers. */
  public static final int NUMBERS = 6;

  /** The oldest version that reads the kinds of encoders by their names. */
  public static final int KIND_NAMES = 7;

  /** The transport version of what every node has that has this plugin: the very first. */
  public static final TransportVersion EVERY_VERSION = TransportVersion.fromId(0);

  private Wire() {}

  /** Writes what a message says. */
  @FunctionalInterface
  public interface Writer {
    void write(StreamOutput body) throws IOException;
  }

  /** Reads what a message says. */
  @FunctionalInterface
  public interface Reader<T> {

    /**
     * Reads a body; what is left of it afterwards is skipped.
     *
     * @param version the writer's; what came later is not there
     */
    T read(StreamInput body, int version) throws IOException;
  }

  /** Writes a message. */
  public static void write(StreamOutput out, Writer writer) throws IOException {
    write(out, OLDEST_READER, writer);
  }

  /**
   * Writes a message with a query in it, of which no node may leave the image, the numbers or the
   * instruction out.
   */
  public static void write(StreamOutput out, Content query, Writer writer) throws IOException {
    boolean isPlain = query instanceof Content.Text && query.instruction() == null;
    int ofOthers = query instanceof Content.Numbers ? NUMBERS : CONTENTS;
    write(out, isPlain ? OLDEST_READER : ofOthers, writer);
  }

  /** Writes a message that no version before one may read. */
  public static void write(StreamOutput out, int oldestReader, Writer writer) throws IOException {
    out.writeVInt(VERSION);
    out.writeVInt(oldestReader);
    try (BytesStreamOutput body = new BytesStreamOutput()) {
      body.setTransportVersion(out.getTransportVersion());
      writer.write(body);
      out.writeBytesReference(body.bytes());
    }
  }

  /** Reads what {@link #VERSION} 5 added to messages with a query's text in them. */
  public static String readInstruction(StreamInput body, int version) throws IOException {
    return version < CONTENTS ? null : body.readOptionalString();
  }

  /**
   * Reads a message that {@link #write} wrote, here or in another version of the plugin.
   *
   * @throws IOException when its writer says that this version must not read it
   */
  public static <T> T read(StreamInput in, Reader<T> reader) throws IOException {
    int version = in.readVInt();
    int oldestReader = in.readVInt();
    BytesReference body = in.readBytesReference();
    if (oldestReader > VERSION) {
      throw new IOException(
          "a node sent a message of version "
              + version
              + " of the densehook plugin's wire format, which this node's, version "
              + VERSION
              + ", cannot read; upgrade the plugin on this node");
    }
    try (StreamInput content = body.streamInput()) {
      StreamInput aware =
          in.namedWriteableRegistry() == null
              ? content
              : new NamedWriteableAwareStreamInput(content, in.namedWriteableRegistry());
      aware.setTransportVersion(in.getTransportVersion());
      return reader.read(aware, version);
    }
  }
}
