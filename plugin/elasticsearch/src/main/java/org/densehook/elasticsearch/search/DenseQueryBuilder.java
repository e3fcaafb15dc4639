package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.lucene.util.SetOnce;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.compat.RewrittenQueryBuilder;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.Index;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
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

  public static final String NAME = "dense";

  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField TEXT = new ParseField("text");
  private static final ParseField K = new ParseField("k");
  private static final ParseField NUM_CANDIDATES = new ParseField("num_candidates");
  private static final ParseField FILTER = new ParseField("filter");

  private static final ConstructingObjectParser<DenseQueryBuilder, Supplier<NodeEncoders>> PARSER =
      new ConstructingObjectParser<>(
          NAME,
          false,
          (a, encoders) ->
              new DenseQueryBuilder(
                  encoders, (String) a[0], (String) a[1], (Integer) a[2], (Integer) a[3]));

  static {
    PARSER.declareString(ConstructingObjectParser.constructorArg(), FIELD);
    PARSER.declareString(ConstructingObjectParser.constructorArg(), TEXT);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), K);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), NUM_CANDIDATES);
    PARSER.declareFieldArray(
        (query, filters) -> query.filters.addAll(filters),
        (parser, encoders) -> AbstractQueryBuilder.parseTopLevelQuery(parser),
        FILTER,
        ObjectParser.ValueType.OBJECT_ARRAY);
    declareStandardFields(PARSER);
  }

  private final Supplier<NodeEncoders> encoders;
  private final String field;
  private final String text;
  private final Integer k;
  private final Integer numCandidates;
  private final List<QueryBuilder> filters = new ArrayList<>();
  private final Supplier<float[]> vector;

  /**
   * A text to be searched.
   *
   * @param k neighbours of each shard, or null for the size of the search
   * @param numCandidates candidates of each shard, or null for Elasticsearch's default
   */
  public DenseQueryBuilder(
      Supplier<NodeEncoders> encoders,
      String field,
      String text,
      Integer k,
      Integer numCandidates) {
    this(encoders, field, text, k, numCandidates, null);
    requireAtLeastOne(K, k);
    requireAtLeastOne(NUM_CANDIDATES, numCandidates);
    if (k != null && numCandidates != null && numCandidates < k) {
      throw new IllegalArgumentException(
          "[num_candidates] of ["
              + NAME
              + "] is ["
              + numCandidates
              + "]; it must be at least [k], which is ["
              + k
              + "]");
    }
  }

  private DenseQueryBuilder(
      Supplier<NodeEncoders> encoders,
      String field,
      String text,
      Integer k,
      Integer numCandidates,
      Supplier<float[]> vector) {
    this.encoders = encoders;
    this.field = Objects.requireNonNull(field);
    this.text = Objects.requireNonNull(text);
    this.k = k;
    this.numCandidates = numCandidates;
    this.vector = vector;
  }

  /** Reads it from another node. */
  public DenseQueryBuilder(Supplier<NodeEncoders> encoders, StreamInput in) throws IOException {
    super(in);
    this.encoders = encoders;
    field = in.readString();
    text = in.readString();
    k = in.readOptionalVInt();
    numCandidates = in.readOptionalVInt();
    filters.addAll(readQueries(in));
    vector = null;
  }

  /** Parses the object that follows its name. */
  public static DenseQueryBuilder fromXContent(
      XContentParser parser, Supplier<NodeEncoders> encoders) {
    return PARSER.apply(parser, encoders);
  }

  private static void requireAtLeastOne(ParseField name, Integer value) {
    if (value != null && value < 1) {
      throw new IllegalArgumentException(
          "[" + name.getPreferredName() + "] of [" + NAME + "] is [" + value + "]; at least 1");
    }
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) {
    if (vector != null) {
      return vector.get() == null
          ? this
          : Compat.knnQuery(field, vector.get(), k, numCandidates)
              .addFilterQueries(filters)
              .boost(boost)
              .queryName(queryName);
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      return this; // not the coordinating node: the query says so when it is to run
    }
    if (!indices.getRemoteClusterIndices().isEmpty()) {
      throw new IllegalArgumentException(
          "["
              + NAME
              + "] reads its encoder from the mappings of this cluster's indices; use a knn query"
              + " with query_vector_builder to search the clusters "
              + indices.getRemoteClusterIndices().keySet());
    }
    if (indices.getConcreteLocalIndicesMetadata().isEmpty()) { // as every query of no index
      return new MatchNoneQueryBuilder().boost(boost).queryName(queryName);
    }
    EmbeddedField provenance = provenance(indices.getConcreteLocalIndicesMetadata());
    SetOnce<float[]> encoded = new SetOnce<>();
    context.registerAsyncAction(
        (client, listener) ->
            new TextVectorBuilder(encoders, text, provenance.encoder(), provenance.fingerprint())
                .buildVector(
                    client,
                    listener.delegateFailureAndWrap(
                        (delegate, built) -> {
                          encoded.set(built);
                          delegate.onResponse(null);
                        })));
    DenseQueryBuilder waiting =
        new DenseQueryBuilder(encoders, field, text, k, numCandidates, encoded::get);
    waiting.filters.addAll(filters);
    return waiting.boost(boost).queryName(queryName);
  }

  /** What the searched indices say of the field; they must agree. */
  private EmbeddedField provenance(Map<Index, IndexMetadata> indices) {
    EmbeddedField found = null;
    Set<String> names = new TreeSet<>();
    Set<String> unstated = new TreeSet<>();
    for (IndexMetadata metadata : indices.values()) {
      SearchedIndex index = SearchedIndex.of(metadata);
      names.add(index.name());
      EmbeddedField stated = index.vectors().fields().get(field);
      if (stated == null && index.vectors().field(field) != null) {
        unstated.add(index.name());
      }
      if (stated != null && found != null && !stated.fingerprint().equals(found.fingerprint())) {
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
      found = stated == null ? found : stated;
    }
    if (found == null || !unstated.isEmpty()) {
      throw new IllegalArgumentException(
          (found == null ? "no index of " + names + " says" : "no mapping of " + unstated + " says")
              + " which encoder made field ["
              + field
              + "]: its mapping needs _meta.densehook.fields; write it with densehook create, or"
              + " use a knn query with query_vector_builder");
    }
    return found;
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    if (vector != null) {
      throw new IllegalStateException("[" + NAME + "] is sent in the middle of its rewrite");
    }
    out.writeString(field);
    out.writeString(text);
    out.writeOptionalVInt(k);
    out.writeOptionalVInt(numCandidates);
    writeQueries(out, filters);
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field(FIELD.getPreferredName(), field);
    builder.field(TEXT.getPreferredName(), text);
    if (k != null) {
      builder.field(K.getPreferredName(), k);
    }
    if (numCandidates != null) {
      builder.field(NUM_CANDIDATES.getPreferredName(), numCandidates);
    }
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
        && Objects.equals(k, other.k)
        && Objects.equals(numCandidates, other.numCandidates)
        && filters.equals(other.filters);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, text, k, numCandidates, filters);
  }
}
