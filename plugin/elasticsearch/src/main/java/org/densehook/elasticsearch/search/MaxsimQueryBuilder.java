package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
 * Query {@code maxsim}: documents scored by how well their token vectors answer those of a text or
 * of an image, by the encoder that the mapping's {@code _meta} names, or those given. It matches
 * every document that has some: as a rescorer it scores the hits of another search alone.
 */
public final class MaxsimQueryBuilder extends RewrittenQueryBuilder<MaxsimQueryBuilder> {

  /** The name that is its alone, in requests and between nodes. */
  public static final String NAME = "densehook_maxsim";

  /** The name it has in requests where no other plugin has taken it. */
  public static final String PLAIN_NAME = "maxsim";

  private static final String WANTS = "[" + PLAIN_NAME + "]";

  static final ParseField FIELD = new ParseField("field");
  static final ParseField VECTORS = new ParseField("query_vectors");

  private static final ConstructingObjectParser<MaxsimQueryBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              PLAIN_NAME,
              false,
              (a, services) ->
                  of(services, (String) a[0], (String) a[1], (String) a[3], (QueryTokens) a[2]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.TEXT);
    PARSER.declareField(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, services) -> QueryTokens.parse(parser),
        VECTORS,
        ObjectParser.ValueType.OBJECT_ARRAY);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.IMAGE);
    declareStandardFields(PARSER);
  }

  private final Supplier<SearchServices> services;
  private final String field;
  private final Content asked;
  private final QueryTokens given;

  // what it waits for: first the mappings, then the vectors
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<QueryTokens> encoded;

  private MaxsimQueryBuilder(
      Supplier<SearchServices> services,
      String field,
      Content asked,
      QueryTokens given,
      Supplier<List<SearchedIndex>> searched,
      Supplier<QueryTokens> encoded) {
    this.services = services;
    this.field = Objects.requireNonNull(field);
    this.asked = asked;
    this.given = given;
    this.searched = searched;
    this.encoded = encoded;
  }

  /**
   * One of a request.
   *
   * @throws IllegalArgumentException unless just one of text, image and vectors is stated
   */
  static MaxsimQueryBuilder of(
      Supplier<SearchServices> services,
      String field,
      String text,
      String image,
      QueryTokens vectors) {
    Content asked = asked(text, image, vectors != null);
    return new MaxsimQueryBuilder(services, field, asked, vectors, null, null);
  }

  /** The text or image that is stated; null beside vectors. */
  private static Content asked(String text, String image, boolean hasVectors) {
    long stated = Stream.of(text, image).filter(Objects::nonNull).count();
    if (stated + (hasVectors ? 1 : 0) != 1) {
      throw new IllegalArgumentException(
          "[" + PLAIN_NAME + "] needs [text], [image] or [query_vectors], one of the three");
    }
    return stated == 0
        ? null
        : AskedContent.requireSome(AskedContent.of(text, image, null, WANTS), WANTS);
  }

  /** Reads it from another node. */
  public MaxsimQueryBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    MaxsimQueryBuilder body =
        Wire.read(
            in,
            (stream, version) ->
                read(
                    services,
                    stream.readString(),
                    stream.readOptionalString(),
                    stream.readOptionalWriteable(QueryTokens::read),
                    version < Wire.MAXSIM_IMAGES ? null : stream.readOptionalString()));
    this.services = services;
    field = body.field;
    asked = body.asked;
    given = body.given;
    searched = null;
    encoded = null;
  }

  private static MaxsimQueryBuilder read(
      Supplier<SearchServices> services,
      String field,
      String text,
      QueryTokens given,
      String image) {
    Content asked = given == null ? AskedContent.of(text, image, null, WANTS) : null;
    return new MaxsimQueryBuilder(services, field, asked, given, null, null);
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
        DenseProvenance.of(
            field, indices, Kind.MULTI, WANTS, "give [" + VECTORS.getPreferredName() + "]");
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
      serving.require(Kind.MULTI, WANTS);
      requireReads(serving);
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
            asked,
            search.timeLeft(),
            search.task(),
            listener.map(row -> tokens(serving, row)));
  }

  private void requireReads(EncoderHandle serving) {
    Set<Kind> kinds = serving.kinds(asked);
    if (!kinds.isEmpty() && !kinds.contains(Kind.MULTI)) {
      throw new IllegalArgumentException(
          "encoder ["
              + serving.name()
              + "] gives vectors of the patches of images, and none of the tokens of texts; give "
              + WANTS
              + " an [image]");
    }
  }

  private QueryTokens tokens(EncoderHandle serving, float[] row) {
    float[] vectors = serving.row(Kind.MULTI, serving.kinds(asked), row);
    return new QueryTokens(vectors, serving.dims(Kind.MULTI));
  }

  private MaxsimQueryBuilder waiting(
      Supplier<List<SearchedIndex>> mappings, Supplier<QueryTokens> vectors) {
    return new MaxsimQueryBuilder(services, field, asked, given, mappings, vectors)
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
    String image = asked instanceof Content.Image one ? one.given() : null;
    Wire.write(
        out,
        image == null ? Wire.OLDEST_READER : Wire.MAXSIM_IMAGES,
        body -> {
          body.writeString(field);
          body.writeOptionalString(asked instanceof Content.Text text ? text.given() : null);
          body.writeOptionalWriteable(given);
          body.writeOptionalString(image);
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    askedToXContent(builder);
    boostAndQueryNameToXContent(builder);
    builder.endObject();
  }

  /** What is asked for, as requests state it. */
  void askedToXContent(XContentBuilder builder) throws IOException {
    builder.field(FIELD.getPreferredName(), field);
    if (asked != null) {
      AskedContent.toXContent(builder, asked);
    } else {
      builder.field(VECTORS.getPreferredName(), given);
    }
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
        && Objects.equals(asked, other.asked)
        && Objects.equals(given, other.given);
  }

  @Override
  protected int doHashCode() {
    return Arrays.hashCode(new Object[] {field, asked, given});
  }
}
