package org.densehook.elasticsearch.compat;

import java.io.IOException;
import org.apache.lucene.search.Query;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.SearchExecutionContext;

/** A query that runs in a shard as one around another. */
public abstract class WrappingQueryBuilder<Q extends WrappingQueryBuilder<Q>>
    extends AbstractQueryBuilder<Q> {

  protected WrappingQueryBuilder() {}

  protected WrappingQueryBuilder(StreamInput in) throws IOException {
    super(in);
  }

  /** The query inside. */
  protected abstract QueryBuilder inner();

  /** What runs in a shard. */
  protected abstract Query around(Query inner, SearchExecutionContext context) throws IOException;

  @Override
  protected final Query doToQuery(SearchExecutionContext context) throws IOException {
    return around(inner().toQuery(context), context);
  }
}
