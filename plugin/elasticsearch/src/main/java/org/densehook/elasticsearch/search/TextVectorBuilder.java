package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Objects;
import java.util.function.Supplier;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.QueryText;
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

  private static final String WANTS = "query_vector_builder [" + NAME + "]";

  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField ENCODER = new ParseField("encoder");
  private static final ParseField FINGERPRINT = new ParseField("fingerprint");
  static final ParseField INSTRUCTION = new ParseField("instruction");

  private static final ConstructingObjectParser<TextVectorBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              NAME,
              false,
              (a, services) ->
                  new TextVectorBuilder(
                      services,
                      new QueryText((String) a[0], (String) a[3]),
                      (String) a[1],
                      (String) a[2]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), TEXT);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), ENCODER);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), FINGERPRINT);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), INSTRUCTION);
  }

  private final Supplier<SearchServices> services;
  private final QueryText query;
  private final String encoder;
  private final String fingerprint;

  /** Whom the mappings name as the encoder; null where the request does, or nobody. */
  private final FieldEncoder stated;

  /**
   * A query's text, to be encoded on the node that coordinates the search.
   *
   * @param encoder null for the only one the node has
   * @param fingerprint the one the encoder must have, or null for any
   */
  public TextVectorBuilder(
      Supplier<SearchServices> services, QueryText query, String encoder, String fingerprint) {
    this(services, new Body(query, encoder, fingerprint), null);
  }

  /** A query's text, to be encoded as a field's vectors were. */
  TextVectorBuilder(Supplier<SearchServices> services, QueryText query, FieldEncoder stated) {
    this(services, new Body(query, stated.name(), stated.provenance().fingerprint()), stated);
  }

  /** Reads it from another node. */
  public TextVectorBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    this(services, Body.read(in), null);
  }

  private TextVectorBuilder(Supplier<SearchServices> services, Body body, FieldEncoder stated) {
    this.services = services;
    this.query = body.query();
    this.encoder = body.encoder();
    this.fingerprint = body.fingerprint();
    this.stated = stated;
  }

  private record Body(QueryText query, String encoder, String fingerprint) {

    static Body read(StreamInput in) throws IOException {
      return Wire.read(in, Body::read);
    }

    private static Body read(StreamInput body, int version) throws IOException {
      String text = body.readString();
      String encoder = body.readOptionalString();
      String fingerprint = body.readOptionalString();
      return new Body(
          new QueryText(text, Wire.readInstruction(body, version)), encoder, fingerprint);
    }
  }

  /** Parses the object that follows its name. */
  public static TextVectorBuilder fromXContent(
      XContentParser parser, Supplier<SearchServices> services) {
    return PARSER.apply(parser, services);
  }

  @Override
  public void buildVector(Client client, ActionListener<float[]> listener) {
    new QueryRow(query, encoder, fingerprint, Kind.DENSE, WANTS)
        .make(services.get(), stated, listener.map(QueryRow.Made::row));
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }

  @Override
  public TransportVersion getMinimalSupportedVersion() {
    return Wire.EVERY_VERSION;
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    Wire.write(
        out,
        query,
        body -> {
          body.writeString(query.text());
          body.writeOptionalString(encoder);
          body.writeOptionalString(fingerprint);
          body.writeOptionalString(query.instruction());
        });
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject();
    builder.field(TEXT.getPreferredName(), query.text());
    if (query.instruction() != null) {
      builder.field(INSTRUCTION.getPreferredName(), query.instruction());
    }
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
        && query.equals(that.query)
        && Objects.equals(encoder, that.encoder)
        && Objects.equals(fingerprint, that.fingerprint);
  }

  @Override
  public int hashCode() {
    return Objects.hash(query, encoder, fingerprint);
  }
}
