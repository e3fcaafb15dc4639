package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.SetOnce;
import org.densehook.elasticsearch.compat.RewrittenRetrieverBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.RankDocsRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Puts the best documents of another retriever in the order of a cross-encoder's scores.
 *
 * <p>Where the search is coordinated the child's documents are found first, then their texts are
 * read, then the pairs of query and text are scored by this node's encoder. The texts are read by a
 * second search in the same point in time, for these very documents by shard and number: so it sees
 * what the first saw, whatever filters an alias has, whatever indices and routings they lie in, and
 * what security lets the caller see of them; ids alone could mean others.
 */
public final class RerankRetrieverBuilder
    extends RewrittenRetrieverBuilder<RerankRetrieverBuilder> {

  /** The name it has in requests where no other plugin has taken it, and in what it says. */
  public static final String NAME = "rerank";

  /** The name that is its alone. */
  public static final String OWN_NAME = "densehook_rerank";

  private final RerankOrder order;
  private final Supplier<SearchServices> services;

  /** What becomes the child's documents, rewrite by rewrite; null before the first. */
  private RetrieverBuilder candidates;

  /** The child's documents, once they are found. */
  private SetOnce<RankDoc[]> found;

  /** What the indices' mappings say, once it is known. */
  private Supplier<List<SearchedIndex>> searched;

  RerankRetrieverBuilder(
      RetrieverSource child,
      RerankOrder order,
      int rankWindowSize,
      Supplier<SearchServices> services) {
    super(new ArrayList<>(List.of(child)), rankWindowSize);
    this.order = order;
    this.services = services;
  }

  /**
   * Reads the body of a rerank retriever.
   *
   * @throws org.elasticsearch.common.ParsingException naming what is wrong and what is allowed
   */
  public static RerankRetrieverBuilder fromXContent(
      XContentParser parser, RetrieverParserContext context, Supplier<SearchServices> services)
      throws IOException {
    return RerankBody.parse(parser, context, services);
  }

  /** Sets what every retriever has; here, because the filters are the base class's own. */
  RerankRetrieverBuilder with(List<QueryBuilder> filters, Float minScore, String name) {
    this.preFilterQueryBuilders = new ArrayList<>(filters);
    this.minScore = minScore;
    this.retrieverName = name;
    return this;
  }

  int window() {
    return rankWindowSize;
  }

  @Override
  public String getName() {
    return NAME;
  }

  @Override
  protected String shorthandName() {
    return "[rerank]";
  }

  @Override
  protected RerankRetrieverBuilder clone(
      List<RetrieverSource> children, List<QueryBuilder> filters) {
    RerankRetrieverBuilder copy =
        new RerankRetrieverBuilder(children.get(0), order, rankWindowSize, services)
            .with(filters, minScore, retrieverName);
    copy.candidates = candidates;
    copy.found = found;
    copy.searched = searched;
    return copy;
  }

  @Override
  protected RetrieverBuilder expanded(QueryRewriteContext context) {
    if (context.getResolvedIndices() == null) {
      throw new IllegalStateException("[rerank] was rewritten where no indices are known");
    }
    RerankRetrieverBuilder next = clone(innerRetrievers, preFilterQueryBuilders);
    if (candidates == null) {
      next.begin(context);
    }
    while (!context.hasAsyncActions()) { // of which each would cost one of few rewrites else
      RetrieverBuilder rewritten = rewritten(next.candidates, context);
      if (rewritten == next.candidates) {
        return next.reranked(context);
      }
      next.candidates = rewritten;
    }
    return next;
  }

  private void begin(QueryRewriteContext context) {
    order.require(services.get());
    searched = SearchedIndices.of(services.get(), context.getResolvedIndices(), context);
    found = new SetOnce<>();
    candidates =
        new RerankCandidates(innerRetrievers, rankWindowSize, found)
            .filteredBy(preFilterQueryBuilders);
  }

  private static RetrieverBuilder rewritten(RetrieverBuilder builder, QueryRewriteContext context) {
    try {
      return builder.rewrite(context);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The documents in their new order, once they are scored. */
  private RetrieverBuilder reranked(QueryRewriteContext context) {
    Reranking reranking =
        new Reranking(order, services.get(), context.getPointInTimeBuilder(), context.isExplain());
    List<SearchedIndex> indices = searched.get();
    reranking.requireFields(indices);
    RankDoc[] docs = found.get();
    Supplier<RankDoc[]> ordered =
        docs.length == 0
            ? () -> docs
            : Awaited.by(
                context, (client, listener) -> reranking.order(docs, indices, client, listener));
    RankDocsRetrieverBuilder result =
        new RankDocsRetrieverBuilder(rankWindowSize, List.of(candidates), ordered, minScore);
    result.retrieverName(retrieverName);
    return result;
  }

  @Override
  protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
    throw new IllegalStateException("[rerank] is rewritten before its child is searched");
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    builder.field(RerankBody.RETRIEVER.getPreferredName(), innerRetrievers.get(0).retriever());
    order.toXContent(builder);
    builder.field(RANK_WINDOW_SIZE_FIELD.getPreferredName(), rankWindowSize);
  }

  @Override
  public boolean doEquals(Object o) {
    return super.doEquals(o) && order.equals(((RerankRetrieverBuilder) o).order);
  }

  @Override
  public int doHashCode() {
    return Objects.hash(super.doHashCode(), order);
  }
}
