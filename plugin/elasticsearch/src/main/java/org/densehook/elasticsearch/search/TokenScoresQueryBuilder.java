package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.queries.function.FunctionScoreQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.densehook.elasticsearch.compat.WrappingQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.query.ExistsQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.SearchExecutionContext;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * Documents that have token vectors, scored by MaxSim: what {@code maxsim} becomes when the query's
 * own are known. It has no form in requests.
 */
final class TokenScoresQueryBuilder extends WrappingQueryBuilder<TokenScoresQueryBuilder> {

  static final String NAME = "densehook_token_scores";

  private static final String TYPE = "binary";

  private final String field;
  private final QueryTokens query;

  TokenScoresQueryBuilder(String field, QueryTokens query) {
    this.field = field;
    this.query = query;
  }

  /** Reads it from another node. */
  TokenScoresQueryBuilder(StreamInput in) throws IOException {
    super(in);
    TokenScoresQueryBuilder body =
        Wire.read(
            in,
            (stream, version) ->
                new TokenScoresQueryBuilder(stream.readString(), QueryTokens.read(stream)));
    field = body.field;
    query = body.query;
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(
        out,
        body -> {
          body.writeString(field);
          query.writeTo(body);
        });
  }

  @Override
  protected QueryBuilder inner() {
    return new ExistsQueryBuilder(field);
  }

  @Override
  protected Query around(Query inner, SearchExecutionContext context) {
    MappedFieldType mapped = context.getFieldType(field);
    if (mapped == null) {
      return new MatchNoDocsQuery("[" + field + "] is not mapped");
    }
    if (!mapped.typeName().equals(TYPE) || !mapped.hasDocValues()) {
      throw new IllegalArgumentException(
          "[maxsim] scores by field ["
              + field
              + "], which is mapped as ["
              + mapped.typeName()
              + "]; it must be a ["
              + TYPE
              + "] field with doc values that holds token vectors");
    }
    return new FunctionScoreQuery(inner, new TokenScores(mapped.name(), query));
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field("field", field);
    builder.field("query_vectors", query);
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
  protected boolean doEquals(TokenScoresQueryBuilder other) {
    return field.equals(other.field) && query.equals(other.query);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, query);
  }
}
