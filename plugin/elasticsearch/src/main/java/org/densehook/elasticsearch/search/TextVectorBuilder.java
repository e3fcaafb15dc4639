package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Objects;
import java.util.function.Supplier;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.vectors.QueryVectorBuilder;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/** {@code "query_vector_builder": {"densehook": {"text": ..., "encoder": ...}}}. */
public final class TextVectorBuilder implements QueryVectorBuilder {

  public static final String NAME = "densehook";

  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField ENCODER = new ParseField("encoder");
  private static final ParseField FINGERPRINT = new ParseField("fingerprint");

  private static final ConstructingObjectParser<TextVectorBuilder, Supplier<NodeEncoders>> PARSER =
      new ConstructingObjectParser<>(
          NAME,
          false,
          (a, encoders) ->
              new TextVectorBuilder(encoders, (String) a[0], (String) a[1], (String) a[2]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), TEXT);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), ENCODER);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), FINGERPRINT);
  }

  private final Supplier<NodeEncoders> encoders;
  private final String text;
  private final String encoder;
  private final String fingerprint;

  /**
   * A query's text, to be encoded on the node that coordinates the search.
   *
   * @param encoder null for the only one the node has
   * @param fingerprint the one the encoder must have, or null for any
   */
  public TextVectorBuilder(
      Supplier<NodeEncoders> encoders, String text, String encoder, String fingerprint) {
    this.encoders = encoders;
    this.text = Objects.requireNonNull(text);
    this.encoder = encoder;
    this.fingerprint = fingerprint;
  }

  /** Reads it from another node. */
  public TextVectorBuilder(Supplier<NodeEncoders> encoders, StreamInput in) throws IOException {
    this(encoders, in.readString(), in.readOptionalString(), in.readOptionalString());
  }

  /** Parses the object that follows its name. */
  public static TextVectorBuilder fromXContent(
      XContentParser parser, Supplier<NodeEncoders> encoders) {
    return PARSER.apply(parser, encoders);
  }

  @Override
  public void buildVector(Client client, ActionListener<float[]> listener) {
    EncoderHandle serving;
    try {
      serving = encoders.get().require(encoder);
      if (fingerprint != null && !fingerprint.equals(serving.fingerprint())) {
        throw new IllegalArgumentException(
            "encoder ["
                + serving.name()
                + "] of this node has fingerprint "
                + serving.fingerprint()
                + ", the field needs "
                + fingerprint
                + "; put that bundle into config/densehook, or search another field");
      }
    } catch (Exception e) {
      listener.onFailure(e);
      return;
    }
    encoders.get().embedQuery(serving, text, listener);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }

  @Override
  public TransportVersion getMinimalSupportedVersion() {
    return TransportVersion.minimumCompatible();
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(text);
    out.writeOptionalString(encoder);
    out.writeOptionalString(fingerprint);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject();
    builder.field(TEXT.getPreferredName(), text);
    if (encoder != null) {
      builder.field(ENCODER.getPreferredName(), encoder);
    }
    if (fingerprint != null) {
      builder.field(FINGERPRINT.getPreferredName(), fingerprint);
    }
    return builder.endObject();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TextVectorBuilder that
        && text.equals(that.text)
        && Objects.equals(encoder, that.encoder)
        && Objects.equals(fingerprint, that.fingerprint);
  }

  @Override
  public int hashCode() {
    return Objects.hash(text, encoder, fingerprint);
  }
}
