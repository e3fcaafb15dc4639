package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.join.ScoreMode;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.Knn;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.encode.Content;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.action.support.GroupedActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.NestedQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.vectors.KnnVectorQueryBuilder;
import org.elasticsearch.search.vectors.RescoreVectorBuilder;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Query {@code dense}: a text, an image or numbers searched in a vector field, by the encoder that
 * the mapping's {@code _meta} names. It is rewritten to a knn query on the coordinating node, once
 * for a request; where the searched indices name several encoders, to one for the indices of each.
 */
public final class DenseQueryBuilder extends RewrittenQueryBuilder<DenseQueryBuilder> {

  /** The name that is its alone, in requests and between nodes. */
  public static final String NAME = "densehook_dense";

  /** The name it has in requests where no other plugin has taken it. */
  public static final String PLAIN_NAME = "dense";

  private static final String WANTS = "query [" + PLAIN_NAME + "]";

  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField FILTER = new ParseField("filter");

  private static final ConstructingObjectParser<DenseQueryBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              PLAIN_NAME,
              false,
              (a, services) ->
                  new DenseQueryBuilder(
                      services,
                      (String) a[0],
                      AskedContent.of(
                          (String) a[1],
                          (String) a[8],
                          a[10],
                          (String) a[9],
                          "[" + PLAIN_NAME + "]"),
                      new DenseOptions(
                          (Integer) a[2],
                          (Integer) a[3],
                          a[4] == null || (Boolean) a[4],
                          (Float) a[5],
                          (RescoreVectorBuilder) a[6],
                          (PassageScoring) a[7])));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.TEXT);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), DenseOptions.K);
    PARSER.declareInt(
        ConstructingObjectParser.optionalConstructorArg(), DenseOptions.NUM_CANDIDATES);
    PARSER.declareBoolean(
        ConstructingObjectParser.optionalConstructorArg(), DenseOptions.AUTO_FILTER);
    PARSER.declareFloat(ConstructingObjectParser.optionalConstructorArg(), DenseOptions.SIMILARITY);
    PARSER.declareObject(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, services) -> RescoreVectorBuilder.fromXContent(parser),
        DenseOptions.RESCORE);
    PARSER.declareObject(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, services) -> PassageScoring.parse(parser),
        PassageScoring.PASSAGES);
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), AskedContent.IMAGE);
    PARSER.declareString(
        ConstructingObjectParser.optionalConstructorArg(), AskedContent.INSTRUCTION);
    AskedContent.declareNumbers(PARSER);
    PARSER.declareFieldArray(
        (query, filters) -> query.filters.addAll(filters),
        (parser, services) -> AbstractQueryBuilder.parseTopLevelQuery(parser),
        FILTER,
        ObjectParser.ValueType.OBJECT_ARRAY);
    declareStandardFields(PARSER);
  }

  private final Supplier<SearchServices> services;
  private final String field;
  private final Content query;
  private final DenseOptions options;
  private final List<QueryBuilder> filters = new ArrayList<>();

  // what the search told it, where somebody saw it there
  private List<QueryBuilder> siblings = List.of();
  private Integer hits;
  private boolean inNested;

  /** The one whose vectors it searches; null for all that the mappings state. */
  private FieldEncoder encoder;

  // what it waits for: first the mappings, then the vectors
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<List<Encoded>> encoded;

  /** The query's vector by one of the encoders. */
  record Encoded(FieldEncoder encoder, float[] vector) {

    String firstIndex() {
      return encoder.indices().get(0);
    }
  }

  /** A text or an image to be searched. */
  DenseQueryBuilder(
      Supplier<SearchServices> services, String field, Content query, DenseOptions options) {
    this(
        services,
        field,
        AskedContent.requireSome(query, "[" + PLAIN_NAME + "]"),
        options,
        null,
        null);
  }

  /** A text to be searched. */
  DenseQueryBuilder(
      Supplier<SearchServices> services, String field, String text, DenseOptions options) {
    this(services, field, new Content.Text(text), options);
  }

  private DenseQueryBuilder(
      Supplier<SearchServices> services,
      String field,
      Content query,
      DenseOptions options,
      Supplier<List<SearchedIndex>> searched,
      Supplier<List<Encoded>> encoded) {
    this.services = services;
    this.field = Objects.requireNonNull(field);
    this.query = Objects.requireNonNull(query);
    this.options = options;
    this.searched = searched;
    this.encoded = encoded;
  }

  /** Reads it from another node. */
  public DenseQueryBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    Body body = Wire.read(in, Body::read);
    this.services = services;
    field = body.field();
    query = body.query();
    options = body.options();
    filters.addAll(body.filters());
    searched = null;
    encoded = null;
  }

  private record Body(
      String field, Content query, DenseOptions options, List<QueryBuilder> filters) {

    static Body read(StreamInput in, int version) throws IOException {
      String field = in.readString();
      String text = in.readString();
      DenseOptions options = DenseOptions.read(in);
      List<QueryBuilder> filters = readQueries(in);
      PassageScoring passages = version < 2 ? null : in.readOptionalWriteable(PassageScoring::read);
      Content query = AskedContent.read(text, in, version);
      return new Body(field, query, options.with(passages), filters);
    }
  }

  /** Parses the object that follows its name. */
  public static DenseQueryBuilder fromXContent(
      XContentParser parser, Supplier<SearchServices> services) {
    return PARSER.apply(parser, services);
  }

  /**
   * Tells it where it stands; the last word counts.
   *
   * @param siblings what is required of its documents anyway
   * @param hits how many are wanted of it where it does not say
   * @param inNested whether a nested query is around it
   */
  void stands(List<QueryBuilder> siblings, int hits, boolean inNested) {
    this.siblings = siblings;
    this.hits = hits;
    this.inNested = inNested;
  }

  /** Searches the vectors of one encoder, and in its indices alone where there are others. */
  DenseQueryBuilder by(FieldEncoder encoder) {
    this.encoder = encoder;
    if (!encoder.alone()) {
      filters.add(encoder.inItsIndices());
    }
    return this;
  }

  String field() {
    return field;
  }

  /** Its text; null where it asks for something else. */
  Content.Text text() {
    return query instanceof Content.Text text ? text : null;
  }

  List<QueryBuilder> siblings() {
    return siblings;
  }

  Integer hits() {
    return hits;
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
    if (encoded != null) {
      return encoded.get() == null ? this : neighbours(encoded.get());
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
        encoder == null ? DenseProvenance.of(field, known, Kind.DENSE, WANTS) : List.of(encoder);
    if (options.passages() != null) {
      requirePassages(encoders, known);
    }
    if (encoders.size() > 1) {
      HeaderWarning.addWarning(
          "field [{}] has vectors of encoders {} in the searched indices, whose scores do not"
              + " compare; retriever [hybrid] ranks the hits of each apart",
          field,
          encoders.stream().map(FieldEncoder::name).toList());
    }
    return waiting(
        null,
        Awaited.by(
            context,
            (client, listener) -> encode(services, query, client, encoders, wants(), listener)));
  }

  /** Who it is asked by: what has an encoder from the start is part of a retriever. */
  private String wants() {
    return encoder == null ? WANTS : HybridRetrieverBuilder.WANTS;
  }

  private void requirePassages(List<FieldEncoder> encoders, List<SearchedIndex> indices) {
    if (inNested) {
      throw refusedPassages("scores whole documents: take the query out of its nested query");
    }
    for (FieldEncoder each : encoders) {
      if (!each.provenance().isChunked()) {
        throw refusedPassages(
            "is for fields of chunks: field ["
                + field
                + "] of index ["
                + each.indices().get(0)
                + "] has one vector of a document");
      }
    }
    String section = encoders.get(0).provenance().path() + "." + SectionWeights.FIELD;
    if (options.passages().weighsSections()
        && indices.stream().allMatch(index -> index.field(section) == null)) {
      throw refusedPassages(
          "has [sections], and no searched index maps their names, [" + section + "], a keyword");
    }
  }

  private static IllegalArgumentException refusedPassages(String why) {
    return new IllegalArgumentException(
        "[" + PassageScoring.PASSAGES.getPreferredName() + "] of [" + PLAIN_NAME + "] " + why);
  }

  /**
   * The query's vector by each of the encoders, in the order of their first indices.
   *
   * @param wants who asks, as {@code query [dense]}
   */
  static void encode(
      Supplier<SearchServices> services,
      Content query,
      Client client,
      List<FieldEncoder> encoders,
      String wants,
      ActionListener<List<Encoded>> listener) {
    GroupedActionListener<Encoded> gathered =
        new GroupedActionListener<>(
            encoders.size(),
            listener.map(
                all -> all.stream().sorted(Comparator.comparing(Encoded::firstIndex)).toList()));
    for (FieldEncoder encoder : encoders) {
      new TextVectorBuilder(services, query, encoder, wants)
          .buildVector(client, gathered.map(vector -> new Encoded(encoder, vector)));
    }
  }

  private DenseQueryBuilder waiting(
      Supplier<List<SearchedIndex>> mappings, Supplier<List<Encoded>> vectors) {
    DenseQueryBuilder waiting =
        new DenseQueryBuilder(services, field, query, options, mappings, vectors);
    waiting.filters.addAll(filters);
    waiting.siblings = siblings;
    waiting.hits = hits;
    waiting.inNested = inNested;
    waiting.encoder = encoder;
    return waiting.boost(boost).queryName(queryName);
  }

  /** In every index by its own vector; a document is found by one of them, and scores as there. */
  QueryBuilder neighbours(List<Encoded> vectors) {
    QueryBuilder found = vectors.size() == 1 ? knn(vectors.get(0)) : bridge(vectors);
    return found.boost(boost).queryName(queryName);
  }

  private QueryBuilder bridge(List<Encoded> vectors) {
    BoolQueryBuilder bridge = new BoolQueryBuilder();
    for (Encoded each : vectors) {
      bridge.should(new BoolQueryBuilder().must(knn(each)).filter(each.encoder().inItsIndices()));
    }
    return bridge;
  }

  private QueryBuilder knn(Encoded encoded) {
    EmbeddedField stated = encoded.encoder().provenance();
    float[] vector = encoded.vector();
    if (!options.scoresPassages()) {
      return nearest(vector, stated, wanted(), options.numCandidates());
    }
    int candidates = candidates();
    return new PassagesQueryBuilder(
        nearest(vector, stated, candidates, candidates),
        stated.path(),
        field,
        vector,
        options.passages());
  }

  private QueryBuilder nearest(
      float[] vector, EmbeddedField stated, Integer k, Integer numCandidates) {
    KnnVectorQueryBuilder knn =
        Knn.query(field, vector, k, numCandidates, options.rescore(), options.similarity());
    List<QueryBuilder> required = new ArrayList<>(filters);
    if (options.autoFilter()) {
      required.addAll(siblings);
    }
    return stated.isChunked() && !inNested
        ? bestChunks(knn, stated.path(), required)
        : knn.addFilterQueries(required);
  }

  /** Documents of each shard, found by their best chunks, that are scored by all of them. */
  private int candidates() {
    if (options.numCandidates() != null) {
      return options.numCandidates();
    }
    Integer wanted = wanted();
    return HybridLists.candidates(wanted == null ? SearchService.DEFAULT_SIZE : wanted);
  }

  /** Documents by their best chunk: as many as are wanted, however many chunks each has. */
  private QueryBuilder bestChunks(
      KnnVectorQueryBuilder knn, String path, List<QueryBuilder> required) {
    List<QueryBuilder> ofDocuments = FilterQueries.withoutNested(required);
    knn.addFilterQueries(ofDocuments);
    NestedQueryBuilder best = new NestedQueryBuilder(path, knn, ScoreMode.Max).ignoreUnmapped(true);
    if (ofDocuments.equals(required)) {
      return best;
    }
    BoolQueryBuilder filtered = new BoolQueryBuilder().must(best);
    filters.forEach(filtered::filter); // what no kNN search in nested objects can have as filters
    return filtered;
  }

  /** As the knn query counts them, but never none where a search wants no hits. */
  private Integer wanted() {
    Integer wanted = hits;
    if (wanted == null && SearchScope.of(services.get().threadContext()).wantsNoHits()) {
      wanted = SearchService.DEFAULT_SIZE;
    }
    if (options.k() != null || wanted == null) {
      return options.k();
    }
    return options.numCandidates() == null ? wanted : Math.min(wanted, options.numCandidates());
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    if (encoded != null || searched != null) {
      throw new IllegalStateException("[" + NAME + "] is sent in the middle of its rewrite");
    }
    Wire.write(
        out,
        query,
        body -> {
          body.writeString(field);
          body.writeString(AskedContent.asText(query));
          options.write(body);
          writeQueries(body, filters);
          body.writeOptionalWriteable(options.passages());
          AskedContent.writeRest(body, query);
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field(FIELD.getPreferredName(), field);
    AskedContent.toXContent(builder, query);
    options.toXContent(builder);
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
  protected boolean doEquals(DenseQueryBuilder other) {
    return field.equals(other.field)
        && query.equals(other.query)
        && options.equals(other.options)
        && filters.equals(other.filters)
        && siblings.equals(other.siblings)
        && inNested == other.inNested
        && Objects.equals(encoder, other.encoder)
        && Objects.equals(hits, other.hits);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, query, options, filters, siblings, inNested, encoder, hits);
  }
}
