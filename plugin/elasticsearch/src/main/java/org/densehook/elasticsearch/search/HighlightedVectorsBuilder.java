package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.apache.lucene.search.Query;
import org.densehook.elasticsearch.compat.WrappingQueryBuilder;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.SearchExecutionContext;
import org.elasticsearch.xcontent.XContentBuilder;

/** Takes {@link HighlightedVectors} to the shards. It has no form in requests. */
final class HighlightedVectorsBuilder extends WrappingQueryBuilder<HighlightedVectorsBuilder> {

  static final String NAME = "densehook_highlighted_vectors";

  private final HighlightedVectors vectors;

  HighlightedVectorsBuilder(HighlightedVectors vectors) {
    this.vectors = vectors;
  }

  /** Reads it from another node. */
  HighlightedVectorsBuilder(StreamInput in) throws IOException {
    super(in);
    vectors = Wire.read(in, (body, version) -> HighlightedVectors.read(body));
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(out, vectors::writeTo);
  }

  @Override
  protected QueryBuilder inner() {
    return new MatchNoneQueryBuilder();
  }

  @Override
  protected Query around(Query inner, SearchExecutionContext context) {
    return vectors;
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(NAME);
    builder.field("field", vectors.field());
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
  protected boolean doEquals(HighlightedVectorsBuilder other) {
    return vectors.equals(other.vectors);
  }

  @Override
  protected int doHashCode() {
    return vectors.hashCode();
  }
}
