package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Objects;
import java.util.function.Supplier;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.Content;
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

/**
 * {@code "query_vector_builder": {"densehook": {"text": ..., "encoder": ...}}}, an image, or
 * numbers.
 */
public final class TextVectorBuilder implements QueryVectorBuilder {

  public static final String NAME = "densehook";

  private static final String WANTS = "query_vector_builder [" + NAME + "]";

  private static final ParseField ENCODER = new ParseField("encoder");
  private static final ParseField FINGERPRINT = new ParseField("fingerprint");

  private static final ConstructingObjectParser<TextVectorBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              NAME,
              false,
              (a, services) ->
                  new TextVectorBuilder(
                      services,
                      new Body(
                          AskedContent.of((String) a[0], (String) a[3], a[5], (String) a[4], WANTS),
                          (String) a[1],
                          (String) a[2]),
                      null,
                      WANTS));

  static {
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.TEXT);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), ENCODER);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), FINGERPRINT);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.IMAGE);
    PARSER.declareString(
        ConstructingObjectParser.optionalConstructorArg(), AskedContent.INSTRUCTION);
    AskedContent.declareNumbers(PARSER);
  }

  private final Supplier<SearchServices> services;
  private final Content query;
  private final String encoder;
  private final String fingerprint;

  /** Whom the mappings name as the encoder; null where the request does, or nobody. */
  private final FieldEncoder stated;

  /** Who asks, as messages say it. */
  private final String wants;

  /**
   * A query's text, to be encoded on the node that coordinates the search.
   *
   * @param encoder null for the only one the node has
   * @param fingerprint the one the encoder must have, or null for any
   */
  public TextVectorBuilder(
      Supplier<SearchServices> services, String text, String encoder, String fingerprint) {
    this(services, new Body(new Content.Text(text), encoder, fingerprint), null, WANTS);
  }

  /**
   * A query's text or image, to be encoded as a field's vectors were.
   *
   * @param wants who asks, as {@code query [dense]}
   */
  TextVectorBuilder(
      Supplier<SearchServices> services, Content query, FieldEncoder stated, String wants) {
    this(
        services, new Body(query, stated.name(), stated.provenance().fingerprint()), stated, wants);
  }

  /** Reads it from another node. */
  public TextVectorBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    this(services, Body.read(in), null, WANTS);
  }

  private TextVectorBuilder(
      Supplier<SearchServices> services, Body body, FieldEncoder stated, String wants) {
    this.services = services;
    this.query = Objects.requireNonNull(body.query());
    this.encoder = body.encoder();
    this.fingerprint = body.fingerprint();
    this.stated = stated;
    this.wants = wants;
  }

  private record Body(Content query, String encoder, String fingerprint) {

    static Body read(StreamInput in) throws IOException {
      return Wire.read(
          in,
          (body, version) -> {
            String text = body.readString();
            String encoder = body.readOptionalString();
            String fingerprint = body.readOptionalString();
            return new Body(AskedContent.read(text, body, version), encoder, fingerprint);
          });
    }
  }

  /** Parses the object that follows its name. */
  public static TextVectorBuilder fromXContent(
      XContentParser parser, Supplier<SearchServices> services) {
    return PARSER.apply(parser, services);
  }

  @Override
  public void buildVector(Client client, ActionListener<float[]> listener) {
    new QueryRow(query, encoder, fingerprint, Kind.DENSE, wants)
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
          body.writeString(AskedContent.asText(query));
          body.writeOptionalString(encoder);
          body.writeOptionalString(fingerprint);
          AskedContent.writeRest(body, query);
        });
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject();
    AskedContent.toXContent(builder, query);
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
