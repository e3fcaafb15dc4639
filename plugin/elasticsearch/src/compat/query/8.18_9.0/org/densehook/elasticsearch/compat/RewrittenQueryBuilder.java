package org.densehook.elasticsearch.compat;

import java.io.IOException;
import org.apache.lucene.search.Query;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.SearchExecutionContext;

/** A query that becomes another one on the coordinating node and never runs itself. */
public abstract class RewrittenQueryBuilder<Q extends RewrittenQueryBuilder<Q>>
    extends AbstractQueryBuilder<Q> {

  protected RewrittenQueryBuilder() {}

  protected RewrittenQueryBuilder(StreamInput in) throws IOException {
    super(in);
  }

  @Override
  protected final Query doToQuery(SearchExecutionContext context) {
    throw new IllegalArgumentException(
        "["
            + getName()
            + "] cannot be used here: it must reach the node that coordinates a search");
  }
}
