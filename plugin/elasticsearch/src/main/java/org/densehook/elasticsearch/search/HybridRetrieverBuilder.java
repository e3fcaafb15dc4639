package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.elasticsearch.compat.RewrittenRetrieverBuilder;
import org.densehook.fusion.Fusion;
import org.densehook.fusion.LinearCombination;
import org.densehook.fusion.Normalizer;
import org.densehook.fusion.ReciprocalRankFusion;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.search.sort.ScoreSortBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/** Fuses the rankings of other retrievers, or of a text and the fields it is searched in. */
public final class HybridRetrieverBuilder
    extends RewrittenRetrieverBuilder<HybridRetrieverBuilder> {

  /** The name it has in requests where no other plugin has taken it, and in what it says. */
  public static final String NAME = "hybrid";

  /** The name that is its alone. */
  public static final String OWN_NAME = "densehook_hybrid";

  /** Who asks encoders for it, as messages say it. */
  static final String WANTS = "retriever [" + NAME + "]";

  /** Elasticsearch's own limit of num_candidates, and so of k. */
  static final int MOST_CANDIDATES = 10_000;

  private final Fusion fusion;
  private final List<HybridList> lists;
  private final HybridShorthand shorthand;
  private final Supplier<SearchServices> services;

  private boolean statesWindow;

  /** What weighs the lists by the query; null where each list's weight is stated. */
  private LearnedQuery learned;

  /** What the indices' mappings say, while the shorthand waits for it; else null. */
  private Supplier<List<SearchedIndex>> searched;

  /**
   * @param lists one for each of the retrievers, in their order
   * @param shorthand what the retrievers are still to be made from; null when they are there
   */
  HybridRetrieverBuilder(
      Fusion fusion,
      List<RetrieverSource> retrievers,
      List<HybridList> lists,
      HybridShorthand shorthand,
      int rankWindowSize,
      Supplier<SearchServices> services) {
    super(new ArrayList<>(retrievers), rankWindowSize);
    this.fusion = fusion;
    this.lists = new ArrayList<>(lists);
    this.shorthand = shorthand;
    this.services = services;
  }

  /**
   * Reads the body of a hybrid retriever.
   *
   * @throws org.elasticsearch.common.ParsingException naming what is wrong and what is allowed
   */
  public static HybridRetrieverBuilder fromXContent(
      XContentParser parser, RetrieverParserContext context, Supplier<SearchServices> services)
      throws IOException {
    return HybridBody.parse(parser, context, services);
  }

  /** A child as the body of a hybrid retriever states it; the base class keeps its parser to us. */
  static RetrieverBuilder parseChild(XContentParser parser, RetrieverParserContext context)
      throws IOException {
    return parseInnerRetrieverBuilder(parser, context);
  }

  /** A child as it is under a parent of this window: one that states none has the parent's. */
  static RetrieverBuilder under(int rankWindowSize, RetrieverBuilder child) {
    return child instanceof HybridRetrieverBuilder hybrid && !hybrid.statesWindow
        ? hybrid.ofWindow(rankWindowSize)
        : child;
  }

  private HybridRetrieverBuilder ofWindow(int window) {
    List<RetrieverSource> children =
        innerRetrievers.stream()
            .map(source -> new RetrieverSource(under(window, source.retriever()), null))
            .toList();
    return new HybridRetrieverBuilder(fusion, children, lists, shorthand, window, services)
        .weighedBy(learned)
        .with(preFilterQueryBuilders, minScore, retrieverName);
  }

  /** Sets what every retriever has; here, because the filters are the base class's own. */
  HybridRetrieverBuilder with(List<QueryBuilder> filters, Float minScore, String name) {
    this.preFilterQueryBuilders = new ArrayList<>(filters);
    this.minScore = minScore;
    this.retrieverName = name;
    return this;
  }

  /** Sets whether the request says how large the window is. */
  HybridRetrieverBuilder stating(boolean window) {
    statesWindow = window;
    return this;
  }

  HybridShorthand shorthand() {
    return shorthand;
  }

  @Override
  protected String shorthandName() {
    return shorthand == null ? null : "[query] of [hybrid]";
  }

  /** How many of each list's hits are fused. */
  int window() {
    return rankWindowSize;
  }

  @Override
  public String getName() {
    return NAME;
  }

  @Override
  public HybridRetrieverBuilder addChild(RetrieverBuilder child) {
    boolean linear = fusion instanceof LinearCombination;
    lists.add(HybridList.of(child, 1, linear ? Normalizer.MINMAX : Normalizer.NONE));
    return super.addChild(child);
  }

  @Override
  protected HybridRetrieverBuilder clone(
      List<RetrieverSource> children, List<QueryBuilder> filters) {
    return new HybridRetrieverBuilder(fusion, children, lists, shorthand, rankWindowSize, services)
        .weighedBy(learned)
        .with(filters, minScore, retrieverName)
        .stating(statesWindow);
  }

  /** Replaces the shorthand by retrievers, once the indices and so the mappings are known. */
  @Override
  protected RetrieverBuilder expanded(QueryRewriteContext context) {
    if (shorthand == null) {
      return this;
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      throw new IllegalStateException("[hybrid] was rewritten where no indices are known");
    }
    Supplier<List<SearchedIndex>> mappings =
        searched == null ? SearchedIndices.of(services.get(), indices, context) : searched;
    if (mappings.get() != null) {
      return resolved(mappings.get());
    }
    if (searched != null) {
      return this;
    }
    HybridRetrieverBuilder waiting = clone(innerRetrievers, preFilterQueryBuilders);
    waiting.searched = mappings;
    return waiting;
  }

  /** This retriever with the retrievers that its shorthand stands for on these indices. */
  HybridRetrieverBuilder resolved(List<SearchedIndex> indices) {
    return new HybridLists(shorthand, rankWindowSize, preFilterQueryBuilders, services)
        .fill(fresh(), indices)
        .with(preFilterQueryBuilders, minScore, retrieverName);
  }

  /** The same, of what a filter matches alone. */
  HybridRetrieverBuilder in(QueryBuilder filter) {
    return with(List.of(filter), minScore, retrieverName);
  }

  /** The same fusion of no lists yet. */
  HybridRetrieverBuilder fresh() {
    return new HybridRetrieverBuilder(fusion, List.of(), List.of(), null, rankWindowSize, services);
  }

  /** The fusion that weights were learned for, of no lists yet. */
  HybridRetrieverBuilder learned(LearnedQuery query) {
    return new HybridRetrieverBuilder(
            query.weights().fusion(), List.of(), List.of(), null, rankWindowSize, services)
        .weighedBy(query);
  }

  private HybridRetrieverBuilder weighedBy(LearnedQuery query) {
    learned = query;
    return this;
  }

  /** Adds a list. */
  void add(RetrieverBuilder child, String label, double weight, Normalizer normalizer) {
    lists.add(new HybridList(label, weight, normalizer, null));
    super.addChild(child);
  }

  /** A child that sorts by something else gives no scores unless asked; ranks need none. */
  @Override
  protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
    boolean sortsByScore = source.sorts().stream().anyMatch(ScoreSortBuilder.class::isInstance);
    return sortsByScore || !(fusion instanceof LinearCombination)
        ? source
        : source.trackScores(true);
  }

  @Override
  protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
    return new HybridRanking(fusion, lists, learned).of(results, rankWindowSize, explain);
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    boolean linear = fusion instanceof LinearCombination;
    if (shorthand != null && shorthand.learned()) {
      builder.field(HybridBody.WEIGHTS.getPreferredName(), HybridBody.LEARNED);
    } else {
      builder.field(HybridBody.FUSION.getPreferredName(), fusion.name());
      if (fusion instanceof ReciprocalRankFusion rrf) {
        builder.field(HybridBody.RANK_CONSTANT.getPreferredName(), rrf.rankConstant());
      }
    }
    builder.field(RANK_WINDOW_SIZE_FIELD.getPreferredName(), rankWindowSize);
    if (shorthand != null) {
      builder.field(HybridBody.QUERY.getPreferredName(), shorthand.query());
      if (shorthand.text().instruction() != null) {
        builder.field(HybridBody.INSTRUCTION.getPreferredName(), shorthand.text().instruction());
      }
      if (!shorthand.fields().isEmpty()) {
        builder.xContentList(HybridBody.FIELDS.getPreferredName(), shorthand.fields());
      }
      if (linear) {
        builder.field(HybridBody.NORMALIZER.getPreferredName(), shorthand.normalizer().label());
      }
      return;
    }
    builder.startArray(HybridBody.RETRIEVERS.getPreferredName());
    for (int list = 0; list < lists.size(); list++) {
      builder.startObject();
      builder.field(
          HybridEntry.RETRIEVER.getPreferredName(), innerRetrievers.get(list).retriever());
      builder.field(HybridEntry.WEIGHT.getPreferredName(), lists.get(list).weight());
      if (linear) {
        builder.field(
            HybridBody.NORMALIZER.getPreferredName(), lists.get(list).normalizer().label());
      }
      builder.endObject();
    }
    builder.endArray();
  }

  @Override
  public boolean doEquals(Object o) {
    HybridRetrieverBuilder other = (HybridRetrieverBuilder) o;
    return super.doEquals(o)
        && fusion.equals(other.fusion)
        && lists.equals(other.lists)
        && Objects.equals(learned, other.learned)
        && Objects.equals(shorthand, other.shorthand);
  }

  @Override
  public int doHashCode() {
    return Objects.hash(super.doHashCode(), fusion, lists, learned, shorthand);
  }
}
