package org.densehook.elasticsearch.compat;

import static org.elasticsearch.action.ValidateActions.addValidationError;

import java.util.List;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;

/**
 * A retriever of several that becomes another one where a search is coordinated: in later versions.
 * In this one no compound retriever can be replaced, so one that would have to be is refused.
 */
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
  public ActionRequestValidationException validate(
      SearchSourceBuilder source,
      ActionRequestValidationException errors,
      boolean isScroll,
      boolean allowPartialSearchResults) {
    ActionRequestValidationException found =
        super.validate(source, errors, isScroll, allowPartialSearchResults);
    return shorthandName() == null
        ? found
        : addValidationError(
            shorthandName() + " needs Elasticsearch 8.19 or 9.1; give [retrievers] here", found);
  }

  /** The retrievers in a compound one, or null when it does not show them. */
  public static List<RetrieverBuilder> children(CompoundRetrieverBuilder<?> compound) {
    return compound instanceof RewrittenRetrieverBuilder<?> own
        ? own.innerRetrievers.stream().map(RetrieverSource::retriever).toList()
        : null;
  }

  /** How many hits of each child a compound retriever wants, where its children are shown. */
  public static int window(CompoundRetrieverBuilder<?> compound) {
    return ((RewrittenRetrieverBuilder<?>) compound).rankWindowSize;
  }
}
