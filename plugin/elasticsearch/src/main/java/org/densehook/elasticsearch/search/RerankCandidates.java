package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.SetOnce;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.xcontent.XContentBuilder;

/** The documents of one retriever as it finds them, for {@link RerankRetrieverBuilder} to order. */
final class RerankCandidates extends CompoundRetrieverBuilder<RerankCandidates> {

  private final SetOnce<RankDoc[]> found;

  /**
   * @param found gets the documents
   */
  RerankCandidates(List<RetrieverSource> child, int rankWindowSize, SetOnce<RankDoc[]> found) {
    super(new ArrayList<>(child), rankWindowSize);
    this.found = found;
  }

  RerankCandidates filteredBy(List<QueryBuilder> filters) {
    preFilterQueryBuilders = new ArrayList<>(filters);
    return this;
  }

  @Override
  public String getName() {
    return RerankRetrieverBuilder.NAME;
  }

  @Override
  protected RerankCandidates clone(List<RetrieverSource> child, List<QueryBuilder> filters) {
    return new RerankCandidates(child, rankWindowSize, found).filteredBy(filters);
  }

  /** A child that sorts by something else gives no scores unless asked. */
  @Override
  protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
    return source.trackScores(true);
  }

  @Override
  protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
    RankDoc[] docs = Reranking.inTheirOrder(results.get(0), rankWindowSize);
    found.set(docs);
    return docs;
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) {
    throw new UnsupportedOperationException("it is in no request");
  }
}
