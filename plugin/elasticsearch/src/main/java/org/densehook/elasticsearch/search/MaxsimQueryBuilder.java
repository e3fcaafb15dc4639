package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.densehook.bundle.Blank;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.Content;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Query {@code maxsim}: documents scored by how well their token vectors answer those of a text, by
 * the encoder that the mapping's {@code _meta} names, or those given. It matches every document
 * that has some: as a rescorer it scores the hits of another search alone.
 */
public final class MaxsimQueryBuilder extends RewrittenQueryBuilder<MaxsimQueryBuilder> {

  /** The name that is its alone, in requests and between nodes. */
  public static final String NAME = "densehook_maxsim";

  /** The name it has in requests where no other plugin has taken it. */
  public static final String PLAIN_NAME = "maxsim";

  static final ParseField FIELD = new ParseField("field");
  static final ParseField TEXT = new ParseField("text");
  static final ParseField VECTORS = new ParseField("query_vectors");

  private static final ConstructingObjectParser<MaxsimQueryBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              PLAIN_NAME,
              false,
              (a, services) -> of(services, (String) a[0], (String) a[1], (QueryTokens) a[2]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), TEXT);
    PARSER.declareField(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, services) -> QueryTokens.parse(parser),
        VECTORS,
        ObjectParser.ValueType.OBJECT_ARRAY);
    declareStandardFields(PARSER);
  }

  private final Supplier<SearchServices> services;
  private final String field;
  private final String text;
  private final QueryTokens given;

  // what it waits for: first the mappings, then the vectors
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<QueryTokens> encoded;

  private MaxsimQueryBuilder(
      Supplier<SearchServices> services,
      String field,
      String text,
      QueryTokens given,
      Supplier<List<SearchedIndex>> searched,
      Supplier<QueryTokens> encoded) {
    this.services = services;
    this.field = Objects.requireNonNull(field);
    this.text = text;
    this.given = given;
    this.searched = searched;
    this.encoded = encoded;
  }

  private static MaxsimQueryBuilder of(
      Supplier<SearchServices> services, String field, String text, QueryTokens given) {
    if ((text == null) == (given == null)) {
      throw new IllegalArgumentException(
          "[" + PLAIN_NAME + "] needs [text] or [query_vectors], one of the two");
    }
    if (text != null && Blank.is(text)) {
      throw new IllegalArgumentException(
          "[text] of [" + PLAIN_NAME + "] is blank; give a text to search for");
    }
    return new MaxsimQueryBuilder(services, field, text, given, null, null);
  }

  /** Reads it from another node. */
  public MaxsimQueryBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    MaxsimQueryBuilder body =
        Wire.read(
            in,
            (stream, version) ->
                new MaxsimQueryBuilder(
                    services,
                    stream.readString(),
                    stream.readOptionalString(),
                    stream.readOptionalWriteable(QueryTokens::read),
                    null,
                    null));
    this.services = services;
    field = body.field;
    text = body.text;
    given = body.given;
    searched = null;
    encoded = null;
  }

  /** Parses the object that follows its name. */
  public static MaxsimQueryBuilder fromXContent(
      XContentParser parser, Supplier<SearchServices> services) {
    return PARSER.apply(parser, services);
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
    if (given != null) {
      return scored(given);
    }
    if (encoded != null) {
      return encoded.get() == null ? this : scored(encoded.get());
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      return this; // not the coordinating node: the query says so when it is to run
    }
    Supplier<List<SearchedIndex>> mappings =
        searched == null ? SearchedIndices.of(services.get(), indices, context) : searched;
    List<SearchedIndex> known = mappings.get();
    if (known == null) {
      return searched == null ? waiting(mappings, null) : this;
    }
    if (known.isEmpty()) { // as every query of no index
      return new MatchNoneQueryBuilder().boost(boost).queryName(queryName);
    }
    FieldEncoder encoder = encoder(known);
    return waiting(null, Awaited.by(context, (client, listener) -> encode(encoder, listener)));
  }

  private FieldEncoder encoder(List<SearchedIndex> indices) {
    List<FieldEncoder> encoders =
        DenseProvenance.of(field, indices, "give [" + VECTORS.getPreferredName() + "]");
    if (encoders.size() > 1) {
      throw new IllegalArgumentException(
          "field ["
              + field
              + "] has token vectors of encoders "
              + encoders.stream().map(FieldEncoder::name).toList()
              + " in the searched indices, whose scores do not compare; search the indices of one");
    }
    return encoders.get(0);
  }

  private void encode(FieldEncoder stated, ActionListener<QueryTokens> listener) {
    EncoderHandle serving;
    try {
      serving = services.get().encoders().require(stated.name());
      serving.require(Kind.MULTI, "[" + PLAIN_NAME + "]");
      stated.provenance().require(serving, stated.indices().get(0));
    } catch (Exception e) {
      listener.onFailure(e);
      return;
    }
    SearchScope search = SearchScope.of(services.get().threadContext());
    services
        .get()
        .encoders()
        .embedQuery(
            serving,
            new Content.Text(text),
            search.timeLeft(),
            search.task(),
            listener.map(row -> tokens(serving, row)));
  }

  private static QueryTokens tokens(EncoderHandle serving, float[] row) {
    return new QueryTokens(serving.row(Kind.MULTI, serving.kinds(), row), serving.dims(Kind.MULTI));
  }

  private MaxsimQueryBuilder waiting(
      Supplier<List<SearchedIndex>> mappings, Supplier<QueryTokens> vectors) {
    return new MaxsimQueryBuilder(services, field, text, given, mappings, vectors)
        .boost(boost)
        .queryName(queryName);
  }

  private QueryBuilder scored(QueryTokens tokens) {
    return new TokenScoresQueryBuilder(field, tokens).boost(boost).queryName(queryName);
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    if (encoded != null || searched != null) {
      throw new IllegalStateException("[" + NAME + "] is sent in the middle of its rewrite");
    }
    Wire.write(
        out,
        body -> {
          body.writeString(field);
          body.writeOptionalString(text);
          body.writeOptionalWriteable(given);
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field(FIELD.getPreferredName(), field);
    if (text != null) {
      builder.field(TEXT.getPreferredName(), text);
    } else {
      builder.field(VECTORS.getPreferredName(), given);
    }
    boostAndQueryNameToXContent(builder);
    builder.endObject();
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
  protected boolean doEquals(MaxsimQueryBuilder other) {
    return field.equals(other.field)
        && Objects.equals(text, other.text)
        && Objects.equals(given, other.given);
  }

  @Override
  protected int doHashCode() {
    return Arrays.hashCode(new Object[] {field, text, given});
  }
}
