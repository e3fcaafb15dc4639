package org.densehook.elasticsearch.compat;

import java.util.List;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;

/** A retriever of several that may become another one where a search is coordinated. */
public abstract class RewrittenRetrieverBuilder<T extends RewrittenRetrieverBuilder<T>>
    extends CompoundRetrieverBuilder<T> {

  protected RewrittenRetrieverBuilder(List<RetrieverSource> children, int rankWindowSize) {
    super(children, rankWindowSize);
  }

  /** What stands for others, as a request names it; null when nothing does. */
  protected abstract String shorthandName();

  /** What this becomes; itself when it has no shorthand. */
  protected abstract RetrieverBuilder expanded(QueryRewriteContext context);

  @Override
  protected final RetrieverBuilder doRewrite(QueryRewriteContext context) {
    return expanded(context);
  }

  /** The retrievers in a compound one, or null when it does not show them. */
  public static List<RetrieverBuilder> children(CompoundRetrieverBuilder<?> compound) {
    return compound.innerRetrievers().stream().map(RetrieverSource::retriever).toList();
  }

  /** How many hits of each child a compound retriever wants, where its children are shown. */
  public static int window(CompoundRetrieverBuilder<?> compound) {
    return compound.rankWindowSize();
  }
}
