package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.lucene.util.SetOnce;
import org.densehook.bundle.Blank;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
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
 * Query {@code dense}: a text searched in a vector field, by the encoder that the mapping's {@code
 * _meta} names. It is rewritten to a knn query on the coordinating node, once for a request.
 */
public final class DenseQueryBuilder extends RewrittenQueryBuilder<DenseQueryBuilder> {

  /** The name that is its alone, in requests and between nodes. */
  public static final String NAME = "densehook_dense";

  /** The name it has in requests where no other plugin has taken it. */
  public static final String PLAIN_NAME = "dense";

  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField K = new ParseField("k");
  private static final ParseField NUM_CANDIDATES = new ParseField("num_candidates");
  private static final ParseField FILTER = new ParseField("filter");
  private static final ParseField AUTO_FILTER = new ParseField("auto_filter");
  private static final ParseField SIMILARITY = new ParseField("similarity");
  private static final ParseField RESCORE = new ParseField("rescore_vector");

  private static final ConstructingObjectParser<DenseQueryBuilder, Supplier<SearchServices>>
      PARSER =
          new ConstructingObjectParser<>(
              PLAIN_NAME,
              false,
              (a, services) ->
                  new DenseQueryBuilder(
                      services,
                      (String) a[0],
                      (String) a[1],
                      new Options(
                          (Integer) a[2],
                          (Integer) a[3],
                          a[4] == null || (Boolean) a[4],
                          (Float) a[5],
                          (RescoreVectorBuilder) a[6])));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.constructorArg(), TEXT);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), K);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), NUM_CANDIDATES);
    PARSER.declareBoolean(ConstructingObjectParser.optionalConstructorArg(), AUTO_FILTER);
    PARSER.declareFloat(ConstructingObjectParser.optionalConstructorArg(), SIMILARITY);
    PARSER.declareObject(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, services) -> RescoreVectorBuilder.fromXContent(parser),
        RESCORE);
    PARSER.declareFieldArray(
        (query, filters) -> query.filters.addAll(filters),
        (parser, services) -> AbstractQueryBuilder.parseTopLevelQuery(parser),
        FILTER,
        ObjectParser.ValueType.OBJECT_ARRAY);
    declareStandardFields(PARSER);
  }

  /**
   * How neighbours are sought.
   *
   * @param k neighbours of each shard, or null for the hits that are wanted
   * @param numCandidates candidates of each shard, or null for Elasticsearch's default
   * @param autoFilter whether the clauses beside it in a bool filter before the search
   * @param similarity the least that a neighbour must have, or null
   * @param rescore how many more are scored by their whole vectors, or null for the field's own
   */
  record Options(
      Integer k,
      Integer numCandidates,
      boolean autoFilter,
      Float similarity,
      RescoreVectorBuilder rescore) {

    Options {
      requireAtLeastOne(K, k);
      requireAtLeastOne(NUM_CANDIDATES, numCandidates);
      if (k != null && numCandidates != null && numCandidates < k) {
        throw refused(
            "[num_candidates] of",
            "is [" + numCandidates + "]; it must be at least [k], which is [" + k + "]");
      }
    }

    private static void requireAtLeastOne(ParseField name, Integer value) {
      if (value != null && value < 1) {
        throw refused("[" + name.getPreferredName() + "] of", "is [" + value + "]; at least 1");
      }
    }

    static Options read(StreamInput in) throws IOException {
      return new Options(
          in.readOptionalVInt(),
          in.readOptionalVInt(),
          in.readBoolean(),
          in.readOptionalFloat(),
          in.readOptionalWriteable(RescoreVectorBuilder::new));
    }

    void write(StreamOutput out) throws IOException {
      out.writeOptionalVInt(k);
      out.writeOptionalVInt(numCandidates);
      out.writeBoolean(autoFilter);
      out.writeOptionalFloat(similarity);
      out.writeOptionalWriteable(rescore);
    }

    void toXContent(XContentBuilder builder) throws IOException {
      if (k != null) {
        builder.field(K.getPreferredName(), k);
      }
      if (numCandidates != null) {
        builder.field(NUM_CANDIDATES.getPreferredName(), numCandidates);
      }
      if (!autoFilter) {
        builder.field(AUTO_FILTER.getPreferredName(), false);
      }
      if (similarity != null) {
        builder.field(SIMILARITY.getPreferredName(), similarity);
      }
      if (rescore != null) {
        builder.field(RESCORE.getPreferredName(), rescore);
      }
    }
  }

  private final Supplier<SearchServices> services;
  private final String field;
  private final String text;
  private final Options options;
  private final List<QueryBuilder> filters = new ArrayList<>();

  // what the search told it, where somebody saw it there
  private List<QueryBuilder> siblings = List.of();
  private Integer hits;

  // what it waits for: first the mappings, then the vector
  private final Supplier<List<SearchedIndex>> searched;
  private final Supplier<float[]> vector;

  /** A text to be searched. */
  DenseQueryBuilder(Supplier<SearchServices> services, String field, String text, Options options) {
    this(services, field, text, options, null, null);
    if (Blank.is(text)) {
      throw refused("[text] of", "is blank; give a text to search for");
    }
  }

  private DenseQueryBuilder(
      Supplier<SearchServices> services,
      String field,
      String text,
      Options options,
      Supplier<List<SearchedIndex>> searched,
      Supplier<float[]> vector) {
    this.services = services;
    this.field = Objects.requireNonNull(field);
    this.text = Objects.requireNonNull(text);
    this.options = options;
    this.searched = searched;
    this.vector = vector;
  }

  /** Reads it from another node. */
  public DenseQueryBuilder(Supplier<SearchServices> services, StreamInput in) throws IOException {
    super(in);
    Body body = Wire.read(in, (stream, version) -> Body.read(stream));
    this.services = services;
    field = body.field();
    text = body.text();
    options = body.options();
    filters.addAll(body.filters());
    searched = null;
    vector = null;
  }

  private record Body(String field, String text, Options options, List<QueryBuilder> filters) {

    static Body read(StreamInput in) throws IOException {
      return new Body(in.readString(), in.readString(), Options.read(in), readQueries(in));
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
   */
  void stands(List<QueryBuilder> siblings, int hits) {
    this.siblings = siblings;
    this.hits = hits;
  }

  List<QueryBuilder> siblings() {
    return siblings;
  }

  Integer hits() {
    return hits;
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
    if (vector != null) {
      return vector.get() == null ? this : knn(vector.get());
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      return this; // not the coordinating node: the query says so when it is to run
    }
    List<SearchedIndex> known =
        searched == null ? SearchedIndices.known(services.get(), indices) : searched.get();
    if (known == null) {
      return searched == null ? afterReading(context, indices) : this;
    }
    if (known.isEmpty()) { // as every query of no index
      return new MatchNoneQueryBuilder().boost(boost).queryName(queryName);
    }
    return afterEncoding(context, provenance(known));
  }

  private QueryBuilder afterReading(QueryRewriteContext context, ResolvedIndices indices) {
    SetOnce<List<SearchedIndex>> read = new SetOnce<>();
    context.registerAsyncAction(
        (client, listener) ->
            SearchedIndices.read(
                services.get(),
                client,
                indices,
                listener.delegateFailureAndWrap(
                    (delegate, found) -> {
                      read.set(found);
                      delegate.onResponse(null);
                    })));
    return waiting(read::get, null);
  }

  private QueryBuilder afterEncoding(QueryRewriteContext context, EmbeddedField provenance) {
    SetOnce<float[]> encoded = new SetOnce<>();
    context.registerAsyncAction(
        (client, listener) ->
            new TextVectorBuilder(services, text, provenance.encoder(), provenance.fingerprint())
                .buildVector(
                    client,
                    listener.delegateFailureAndWrap(
                        (delegate, built) -> {
                          encoded.set(built);
                          delegate.onResponse(null);
                        })));
    return waiting(null, encoded::get);
  }

  private DenseQueryBuilder waiting(
      Supplier<List<SearchedIndex>> mappings, Supplier<float[]> encoded) {
    DenseQueryBuilder waiting =
        new DenseQueryBuilder(services, field, text, options, mappings, encoded);
    waiting.filters.addAll(filters);
    waiting.siblings = siblings;
    waiting.hits = hits;
    return waiting.boost(boost).queryName(queryName);
  }

  private QueryBuilder knn(float[] encoded) {
    KnnVectorQueryBuilder knn =
        Compat.knnQuery(
            field,
            encoded,
            neighbours(),
            options.numCandidates(),
            options.rescore(),
            options.similarity());
    knn.addFilterQueries(filters);
    if (options.autoFilter()) {
      knn.addFilterQueries(siblings);
    }
    return knn.boost(boost).queryName(queryName);
  }

  /** As the knn query counts them, but never none where a search wants no hits. */
  private Integer neighbours() {
    Integer wanted = hits;
    if (wanted == null && SearchScope.of(services.get().threadContext()).wantsNoHits()) {
      wanted = SearchService.DEFAULT_SIZE;
    }
    if (options.k() != null || wanted == null) {
      return options.k();
    }
    return options.numCandidates() == null ? wanted : Math.min(wanted, options.numCandidates());
  }

  /** What the searched indices say of the field; they must agree. */
  EmbeddedField provenance(List<SearchedIndex> indices) {
    EmbeddedField found = null;
    boolean unstated = false;
    for (SearchedIndex index : indices) {
      EmbeddedField stated = index.embedded(field);
      if (stated == null) {
        unstated |= index.field(field) != null;
        continue;
      }
      if (found != null && !stated.fingerprint().equals(found.fingerprint())) {
        throw new IllegalArgumentException(
            "field ["
                + field
                + "] has vectors of two encoders in the searched indices: ["
                + found.encoder()
                + "] ("
                + found.fingerprint()
                + ") and ["
                + stated.encoder()
                + "] ("
                + stated.fingerprint()
                + "); search them apart");
      }
      found = found == null ? stated : found;
    }
    if (found == null || unstated) {
      throw new IllegalArgumentException(
          (found == null
                  ? "no index of " + names(indices, index -> true) + " says"
                  : "no mapping of " + names(indices, this::leavesOpen) + " says")
              + " which encoder made field ["
              + field
              + "]: its mapping needs _meta.densehook.fields; write it with densehook create, or"
              + " use a knn query with query_vector_builder");
    }
    return found;
  }

  private boolean leavesOpen(SearchedIndex index) {
    return index.embedded(field) == null && index.field(field) != null;
  }

  private static Set<String> names(List<SearchedIndex> indices, Predicate<SearchedIndex> which) {
    Set<String> names = new TreeSet<>();
    indices.stream().filter(which).forEach(index -> names.add(index.name()));
    return names;
  }

  private static IllegalArgumentException refused(String what, String why) {
    return new IllegalArgumentException(what + " [" + PLAIN_NAME + "] " + why);
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    if (vector != null || searched != null) {
      throw new IllegalStateException("[" + NAME + "] is sent in the middle of its rewrite");
    }
    Wire.write(
        out,
        body -> {
          body.writeString(field);
          body.writeString(text);
          options.write(body);
          writeQueries(body, filters);
        });
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field(FIELD.getPreferredName(), field);
    builder.field(TEXT.getPreferredName(), text);
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
    return TransportVersion.minimumCompatible();
  }

  @Override
  protected boolean doEquals(DenseQueryBuilder other) {
    return field.equals(other.field)
        && text.equals(other.text)
        && options.equals(other.options)
        && filters.equals(other.filters)
        && siblings.equals(other.siblings)
        && Objects.equals(hits, other.hits);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, text, options, filters, siblings, hits);
  }
}
