package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.ScoreDoc;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.densehook.fusion.FusedHit;
import org.densehook.fusion.Fusion;
import org.densehook.fusion.Hit;
import org.densehook.fusion.LinearCombination;
import org.densehook.fusion.Normalizer;
import org.densehook.fusion.Part;
import org.densehook.fusion.Ranking;
import org.densehook.fusion.ReciprocalRankFusion;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.index.query.MatchNoneQueryBuilder;
import org.elasticsearch.index.query.MultiMatchQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.elasticsearch.search.sort.ScoreSortBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/** Fuses the rankings of other retrievers, or of a text and the fields it is searched in. */
public final class HybridRetrieverBuilder extends CompoundRetrieverBuilder<HybridRetrieverBuilder> {

  public static final String NAME = "hybrid";

  private static final int LEAST_CANDIDATES = 100;

  /** Elasticsearch's own limit of num_candidates, and so of k. */
  static final int MOST_CANDIDATES = 10_000;

  private final Fusion fusion;
  private final List<HybridList> lists;
  private final HybridShorthand shorthand;
  private final Supplier<NodeEncoders> encoders;

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
      Supplier<NodeEncoders> encoders) {
    super(new ArrayList<>(retrievers), rankWindowSize);
    this.fusion = fusion;
    this.lists = new ArrayList<>(lists);
    this.shorthand = shorthand;
    this.encoders = encoders;
  }

  /**
   * Reads the body of a hybrid retriever.
   *
   * @throws org.elasticsearch.common.ParsingException naming what is wrong and what is allowed
   */
  public static HybridRetrieverBuilder fromXContent(
      XContentParser parser, RetrieverParserContext context, Supplier<NodeEncoders> encoders)
      throws IOException {
    return new HybridParser(parser, context).parse(encoders);
  }

  /** A child as the body of a hybrid retriever states it; the base class keeps its parser to us. */
  static RetrieverBuilder parseChild(XContentParser parser, RetrieverParserContext context)
      throws IOException {
    return parseInnerRetrieverBuilder(parser, context);
  }

  /** Sets what every retriever has; here, because the filters are the base class's own. */
  HybridRetrieverBuilder with(List<QueryBuilder> filters, Float minScore, String name) {
    this.preFilterQueryBuilders = new ArrayList<>(filters);
    this.minScore = minScore;
    this.retrieverName = name;
    return this;
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
    return new HybridRetrieverBuilder(fusion, children, lists, shorthand, rankWindowSize, encoders)
        .with(filters, minScore, retrieverName);
  }

  /** Replaces the shorthand by retrievers, once the indices and so the mappings are known. */
  @Override
  protected RetrieverBuilder doRewrite(QueryRewriteContext context) {
    if (shorthand == null) {
      return this;
    }
    ResolvedIndices indices = context.getResolvedIndices();
    if (indices == null) {
      throw new IllegalStateException("[hybrid] was rewritten where no indices are known");
    }
    if (!indices.getRemoteClusterIndices().isEmpty()) {
      throw new IllegalArgumentException(
          "[hybrid] with [query] reads its fields from the mappings of this cluster's indices; give"
              + " [retrievers] to search the clusters "
              + indices.getRemoteClusterIndices().keySet());
    }
    return resolved(indices.getConcreteLocalIndicesMetadata().values());
  }

  /** This retriever with the retrievers that its shorthand stands for on these indices. */
  HybridRetrieverBuilder resolved(Collection<IndexMetadata> indices) {
    HybridRetrieverBuilder resolved =
        new HybridRetrieverBuilder(fusion, List.of(), List.of(), null, rankWindowSize, encoders)
            .with(preFilterQueryBuilders, minScore, retrieverName);
    if (indices.isEmpty()) {
      resolved.add(new StandardRetrieverBuilder(new MatchNoneQueryBuilder()), "no index", 1, null);
      return resolved;
    }
    Normalizer normalizer = shorthand.normalizer();
    HybridFields fields = HybridFields.resolve(indices, shorthand.fields());
    if (!fields.text().isEmpty()) {
      // most_fields adds the fields' scores, as the short forms of Elastic's own retrievers do
      QueryBuilder query =
          new MultiMatchQueryBuilder(shorthand.query())
              .fields(fields.text())
              .type(MultiMatchQueryBuilder.Type.MOST_FIELDS);
      String label = "BM25 on " + fields.text().keySet();
      resolved.add(new StandardRetrieverBuilder(query), label, 1, normalizer);
    }
    for (HybridFields.Vector vector : fields.vectors()) {
      TextVectorBuilder text =
          new TextVectorBuilder(
              encoders, shorthand.query(), vector.encoder(), vector.fingerprint());
      int candidates = Math.min(Math.max(2 * rankWindowSize, LEAST_CANDIDATES), MOST_CANDIDATES);
      RetrieverBuilder knn = Compat.knnRetriever(vector.name(), text, rankWindowSize, candidates);
      resolved.add(knn, "kNN on [" + vector.name() + "]", vector.weight(), normalizer);
    }
    return resolved;
  }

  private void add(RetrieverBuilder child, String label, double weight, Normalizer normalizer) {
    lists.add(new HybridList(label, weight, normalizer == null ? Normalizer.NONE : normalizer));
    super.addChild(child);
  }

  /** A child that sorts by something else gives no scores unless asked. */
  @Override
  protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
    boolean sortsByScore = source.sorts().stream().anyMatch(ScoreSortBuilder.class::isInstance);
    return sortsByScore ? source : source.trackScores(true);
  }

  @Override
  protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
    List<Ranking<RankDoc.RankKey>> rankings = new ArrayList<>(results.size());
    for (int list = 0; list < results.size(); list++) {
      List<Hit<RankDoc.RankKey>> hits =
          Arrays.stream(results.get(list)).map(HybridRetrieverBuilder::hit).toList();
      HybridList given = lists.get(list);
      rankings.add(new Ranking<>(hits, given.weight(), given.normalizer()));
    }
    List<FusedHit<RankDoc.RankKey>> fused = fusion.fuse(rankings);
    // Lucene takes no score below 0, which the sum of z-scores can be. Raising all of them keeps
    // their order and their distances.
    double lowest = fused.stream().mapToDouble(FusedHit::score).min().orElse(0);
    double raised = lowest < 0 ? -lowest : 0;
    RankDoc[] docs =
        fused.stream()
            .map(
                hit ->
                    new FusedRankDoc(
                        hit.id().doc(),
                        finite((float) (hit.score() + raised)),
                        hit.id().shardIndex(),
                        explain ? explained(hit, raised) : null))
            .sorted() // by score, then by shard and document, as the shards will order them
            .limit(rankWindowSize)
            .toArray(RankDoc[]::new);
    for (int place = 0; place < docs.length; place++) {
      docs[place].rank = place + 1;
    }
    return docs;
  }

  private static Hit<RankDoc.RankKey> hit(ScoreDoc doc) {
    return new Hit<>(new RankDoc.RankKey(doc.doc, doc.shardIndex), finite(doc.score));
  }

  /** Boosts can take a score past what a float holds; the largest float still sorts first. */
  private static float finite(float score) {
    return Float.isNaN(score) ? 0f : Math.min(score, Float.MAX_VALUE);
  }

  private FusedScore explained(FusedHit<RankDoc.RankKey> hit, double raised) {
    List<FusedScore.FromList> parts = new ArrayList<>(lists.size());
    for (int list = 0; list < hit.parts().size(); list++) {
      Part part = hit.parts().get(list);
      HybridList given = lists.get(list);
      boolean normalised = fusion instanceof LinearCombination;
      parts.add(
          new FusedScore.FromList(
              given.label(), normalised ? given.normalizer().label() : "", part));
    }
    return new FusedScore(fusion.formula(), hit.score(), raised, parts);
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    boolean linear = fusion instanceof LinearCombination;
    builder.field(HybridParser.FUSION, fusion.name());
    if (fusion instanceof ReciprocalRankFusion rrf) {
      builder.field(HybridParser.RANK_CONSTANT, rrf.rankConstant());
    }
    builder.field(RANK_WINDOW_SIZE_FIELD.getPreferredName(), rankWindowSize);
    if (shorthand != null) {
      builder.field(HybridParser.QUERY, shorthand.query());
      if (!shorthand.fields().isEmpty()) {
        builder.stringListField(
            HybridParser.FIELDS, shorthand.fields().stream().map(HybridField::toString).toList());
      }
      if (linear) {
        builder.field(HybridParser.NORMALIZER, shorthand.normalizer().label());
      }
      return;
    }
    builder.startArray(HybridParser.RETRIEVERS);
    for (int list = 0; list < lists.size(); list++) {
      builder.startObject();
      builder.field(HybridParser.RETRIEVER, innerRetrievers.get(list).retriever());
      builder.field(HybridParser.WEIGHT, lists.get(list).weight());
      if (linear) {
        builder.field(HybridParser.NORMALIZER, lists.get(list).normalizer().label());
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
        && Objects.equals(shorthand, other.shorthand);
  }

  @Override
  public int doHashCode() {
    return Objects.hash(super.doHashCode(), fusion, lists, shorthand);
  }
}
