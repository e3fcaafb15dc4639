package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.join.ScoreMode;
import org.densehook.bundle.Blank;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.encode.Content;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.action.support.GroupedActionListener;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.index.query.TermQueryBuilder;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Query {@code sparse}: a text searched in a sparse_vector field, by the encoder that the mapping's
 * {@code _meta} names. On the coordinating node, once for a request, it becomes a clause for each
 * of the text's tokens: a document scores the sum over them of the query's weight times its own. No
 * token is left out for being frequent, and no more than the server itself is needed. Where the
 * searched indices name several encoders, the documents of each are scored by theirs.
 */
public final class SparseQueryBuilder extends RewrittenQueryBuilder<SparseQueryBuilder> {

  /** The name that is its alone, in requests and between nodes. */
  public static final String NAME = "densehook_sparse";

  /** The name it has in requests where no other plugin has taken it. */
  public static final String PLAIN_NAME = "sparse";

  private static final String WANTS = "query [" + PLAIN_NAME + "]";

  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField FILTER = new ParseField("filter");

  private static final ConstructingObjectParser<SparseQueryBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              PLAIN_NAME,
              false,
              (a, services) -> new SparseQueryBuilder(services, (String) a[0], (String) a[1]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.constructorArg(), TEXT);
    PARSER.declareFieldArray(
        (query, filters) -> query.filters.addAll(filters),
        (parser, services) -> AbstractQueryBuilder.parseTopLevelQuery(parser),
        FILTER,
        ObjectParser.ValueType.OBJECT_ARRAY);
    declareStandardFields(PARSER);
  }

  private final Supplier<SearchServices> services;
  private final String field;
  private final String text;
  private final List<QueryBuilder> filters = new ArrayList<>();

  /** Whether a nested query is around it, as the search told it. */
  private boolean inNested;

  /** The one whose weights it searches; null for all that the mappings state. */
  private FieldEncoder encoder;

  // what it waits for: first the mappings, then the weights
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<List<Encoded>> encoded;

  /** The text's weights by one of the encoders. */
  private record Encoded(FieldEncoder encoder, Map<String, Float> terms) {

    String firstIndex() {
      return encoder.indices().get(0);
    }
  }

  /** A text to be searched. */
  SparseQueryBuilder(Supplier<SearchServices> services, String field, String text) {
    this(services, field, text, null, null);
    if (Blank.is(text)) {
      throw new IllegalArgumentException(
          "[text] of [" + PLAIN_NAME + "] is blank; give a text to search for");
    }
  }

  private SparseQueryBuilder(
      Supplier<SearchServices> services,
      String field,
      String text,
      Supplier<List<SearchedIndex>> searched,
      Supplier<List<Encoded>> encoded) {
    this.services = services;
    this.field = Objects.requireNonNull(field);
    this.text = Objects.requireNonNull(text);
    this.searched = searched;
    this.encoded = encoded;
  }

  /** Reads it from another node. */
  public SparseQueryBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    Body body = Wire.read(in, Body::read);
    this.services = services;
    field = body.field();
    text = body.text();
    filters.addAll(body.filters());
    searched = null;
    encoded = null;
  }

  private record Body(String field, String text, List<QueryBuilder> filters) {

    static Body read(StreamInput in, int version) throws IOException {
      return new Body(in.readString(), in.readString(), readQueries(in));
    }
  }

  /** Parses the object that follows its name. */
  public static SparseQueryBuilder fromXContent(
      XContentParser parser, Supplier<SearchServices> services) {
    return PARSER.apply(parser, services);
  }

  /**
   * A clause for each token, of which a document needs one.
   *
   * @param terms weights by token
   */
  static QueryBuilder ofTerms(String field, Map<String, Float> terms) {
    if (terms.isEmpty()) {
      return new MatchNoneQueryBuilder();
    }
    BoolQueryBuilder any = new BoolQueryBuilder().minimumShouldMatch(1);
    terms.forEach((token, weight) -> any.should(new TermQueryBuilder(field, token).boost(weight)));
    return any;
  }

  /** Tells it whether a nested query is around it. */
  void stands(boolean inNested) {
    this.inNested = inNested;
  }

  /** Searches the weights of one encoder, and in its indices alone where there are others. */
  SparseQueryBuilder by(FieldEncoder encoder) {
    this.encoder = encoder;
    if (!encoder.alone()) {
      filters.add(encoder.inItsIndices());
    }
    return this;
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
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
    List<FieldEncoder> encoders =
        encoder == null ? DenseProvenance.of(field, known, Kind.SPARSE, WANTS) : List.of(encoder);
    if (encoders.size() > 1) {
      HeaderWarning.addWarning(
          "field [{}] has weights of encoders {} in the searched indices, whose scores do not"
              + " compare; retriever [hybrid] ranks the hits of each apart",
          field,
          encoders.stream().map(FieldEncoder::name).toList());
    }
    return waiting(null, Awaited.by(context, (client, listener) -> encode(encoders, listener)));
  }

  private void encode(List<FieldEncoder> encoders, ActionListener<List<Encoded>> listener) {
    GroupedActionListener<Encoded> gathered =
        new GroupedActionListener<>(
            encoders.size(),
            listener.map(
                all -> all.stream().sorted(Comparator.comparing(Encoded::firstIndex)).toList()));
    for (FieldEncoder each : encoders) {
      new QueryRow(
              new Content.Text(text),
              each.name(),
              each.provenance().fingerprint(),
              Kind.SPARSE,
              encoder == null ? WANTS : HybridRetrieverBuilder.WANTS)
          .make(
              services.get(),
              each,
              gathered.map(made -> new Encoded(each, made.by().terms(made.row()))));
    }
  }

  private SparseQueryBuilder waiting(
      Supplier<List<SearchedIndex>> mappings, Supplier<List<Encoded>> weights) {
    SparseQueryBuilder waiting = new SparseQueryBuilder(services, field, text, mappings, weights);
    waiting.filters.addAll(filters);
    waiting.inNested = inNested;
    waiting.encoder = encoder;
    return waiting.boost(boost).queryName(queryName);
  }

  /** In every index by its own weights; a document is found by one of them, and scores as there. */
  private QueryBuilder scored(List<Encoded> weights) {
    if (weights.size() == 1) {
      return filtered(weights.get(0), List.of()).boost(boost).queryName(queryName);
    }
    BoolQueryBuilder bridge = new BoolQueryBuilder();
    for (Encoded each : weights) {
      bridge.should(filtered(each, List.of(each.encoder().inItsIndices())));
    }
    return bridge.boost(boost).queryName(queryName);
  }

  private QueryBuilder filtered(Encoded weights, List<QueryBuilder> more) {
    QueryBuilder terms = ofTerms(field, weights.terms());
    if (weights.encoder().provenance().isChunked() && !inNested) { // by its best chunk
      String path = weights.encoder().provenance().path();
      terms = new NestedQueryBuilder(path, terms, ScoreMode.Max).ignoreUnmapped(true);
    }
    BoolQueryBuilder both = new BoolQueryBuilder().must(terms);
    filters.forEach(both::filter);
    more.forEach(both::filter);
    return both.filter().isEmpty() ? terms : both;
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
          body.writeString(text);
          writeQueries(body, filters);
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field(FIELD.getPreferredName(), field);
    builder.field(TEXT.getPreferredName(), text);
    if (!filters.isEmpty()) {
      builder.startArray(FILTER.getPreferredName());
      for (QueryBuilder filter : filters) {
        filter.toXContent(builder, params);
      }
      builder.endArray();
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
  protected boolean doEquals(SparseQueryBuilder other) {
    return field.equals(other.field)
        && text.equals(other.text)
        && filters.equals(other.filters)
        && inNested == other.inNested
        && Objects.equals(encoder, other.encoder);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, text, filters, inNested, encoder);
  }
}
