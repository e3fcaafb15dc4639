package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.apache.lucene.queries.function.FunctionScoreQuery;
import org.apache.lucene.search.Query;
import org.densehook.elasticsearch.compat.WrappingQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.lucene.search.Queries;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.index.query.SearchExecutionContext;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * Documents that another query finds, scored by all of their chunks: what {@code dense} becomes
 * where a document's score is not that of its best chunk. It has no form in requests.
 */
final class PassagesQueryBuilder extends WrappingQueryBuilder<PassagesQueryBuilder> {

  static final String NAME = "densehook_passages";

  private final QueryBuilder candidates;
  private final String path;
  private final String field;
  private final float[] vector;
  private final PassageScoring scoring;

  /**
   * Scores for a query's vector.
   *
   * @param path of the objects that hold the chunks
   * @param field the vectors' own, beneath it
   */
  PassagesQueryBuilder(
      QueryBuilder candidates, String path, String field, float[] vector, PassageScoring scoring) {
    this.candidates = candidates;
    this.path = path;
    this.field = field;
    this.vector = vector;
    this.scoring = scoring;
  }

  /** Reads it from another node. */
  PassagesQueryBuilder(StreamInput in) throws IOException {
    super(in);
    PassagesQueryBuilder body =
        Wire.read(
            in,
            (stream, version) ->
                new PassagesQueryBuilder(
                    stream.readNamedWriteable(QueryBuilder.class),
                    stream.readString(),
                    stream.readString(),
                    stream.readFloatArray(),
                    PassageScoring.read(stream)));
    candidates = body.candidates;
    path = body.path;
    field = body.field;
    vector = body.vector;
    scoring = body.scoring;
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(
        out,
        body -> {
          body.writeNamedWriteable(candidates);
          body.writeString(path);
          body.writeString(field);
          body.writeFloatArray(vector);
          scoring.writeTo(body);
        });
  }

  @Override
  protected QueryBuilder inner() {
    return candidates;
  }

  @Override
  protected QueryBuilder doRewrite(QueryRewriteContext context) throws IOException {
    QueryBuilder rewritten = candidates.rewrite(context);
    if (rewritten instanceof MatchNoneQueryBuilder) {
      return rewritten;
    }
    return rewritten == candidates
        ? this
        : new PassagesQueryBuilder(rewritten, path, field, vector, scoring);
  }

  @Override
  protected Query around(Query inner, SearchExecutionContext context) {
    return new FunctionScoreQuery(
        inner,
        new PassageScores(
            path,
            field,
            vector,
            scoring,
            context.bitsetFilter(Queries.newNonNestedFilter(context.indexVersionCreated()))));
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field("candidates", candidates);
    builder.field("field", field);
    builder.field("vector", vector);
    builder.field(PassageScoring.PASSAGES.getPreferredName(), scoring);
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
  protected boolean doEquals(PassagesQueryBuilder other) {
    return candidates.equals(other.candidates)
        && path.equals(other.path)
        && field.equals(other.field)
        && Arrays.equals(vector, other.vector)
        && scoring.equals(other.scoring);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(candidates, path, field, Arrays.hashCode(vector), scoring);
  }
}
