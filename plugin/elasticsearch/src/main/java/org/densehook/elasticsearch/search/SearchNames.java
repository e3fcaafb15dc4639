package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.plugins.SearchPlugin.QuerySpec;
import org.elasticsearch.plugins.SearchPlugin.QueryVectorBuilderSpec;
import org.elasticsearch.plugins.SearchPlugin.RetrieverSpec;
import org.elasticsearch.search.fetch.subphase.highlight.Highlighter;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.ContextParser;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentParser;

/**
 * The names under which requests and nodes know what searches use.
 *
 * <p>Between nodes there are prefixed names alone. In requests there are plain ones too, which
 * another plugin may want: Elasticsearch ends a node where two plugins register one name, and lets
 * no plugin see what the others register, so whoever runs the node says which it is.
 */
public final class SearchNames {

  /** Whether requests may say {@code dense}, {@code sparse}, {@code hybrid} and {@code rerank}. */
  private static final Setting<Boolean> PLAIN =
      Setting.boolSetting("densehook.search.plain_names", true, Setting.Property.NodeScope);

  private SearchNames() {}

  /** The settings of names. */
  public static List<Setting<?>> settings() {
    return List.of(PLAIN, MaxsimRetriever.MAX_WINDOW);
  }

  /** The vector builder. */
  public static List<QueryVectorBuilderSpec<?>> vectorBuilders(Supplier<SearchServices> services) {
    return List.of(
        new QueryVectorBuilderSpec<>(
            TextVectorBuilder.NAME,
            in -> new TextVectorBuilder(services, in),
            (parser, nothing) -> TextVectorBuilder.fromXContent(parser, services)));
  }

  /** The queries, by their prefixed names. */
  public static List<QuerySpec<?>> queries(Supplier<SearchServices> services) {
    return List.of(
        new QuerySpec<>(
            DenseQueryBuilder.NAME,
            in -> new DenseQueryBuilder(services, in),
            parser -> DenseQueryBuilder.fromXContent(parser, services)),
        new QuerySpec<>(
            SparseQueryBuilder.NAME,
            in -> new SparseQueryBuilder(services, in),
            parser -> SparseQueryBuilder.fromXContent(parser, services)),
        new QuerySpec<>(
            MaxsimQueryBuilder.NAME,
            in -> new MaxsimQueryBuilder(services, in),
            parser -> MaxsimQueryBuilder.fromXContent(parser, services)));
  }

  /** What goes from node to node and is in no request. */
  public static List<NamedWriteableRegistry.Entry> writeables(Supplier<SearchServices> services) {
    return List.of(
        new NamedWriteableRegistry.Entry(RankDoc.class, FusedRankDoc.NAME, FusedRankDoc::new),
        new NamedWriteableRegistry.Entry(RankDoc.class, RerankedRankDoc.NAME, RerankedRankDoc::new),
        new NamedWriteableRegistry.Entry(
            QueryBuilder.class, PassagesQueryBuilder.NAME, PassagesQueryBuilder::new),
        new NamedWriteableRegistry.Entry(
            QueryBuilder.class, TokenScoresQueryBuilder.NAME, TokenScoresQueryBuilder::new),
        new NamedWriteableRegistry.Entry(
            QueryBuilder.class, HighlightedVectorsBuilder.NAME, HighlightedVectorsBuilder::new),
        new NamedWriteableRegistry.Entry(
            QueryBuilder.class,
            HighlightedTextBuilder.NAME,
            in -> new HighlightedTextBuilder(services, in)));
  }

  /** The highlighter. */
  public static Map<String, Highlighter> highlighters(Supplier<SearchServices> services) {
    return Map.of(PassageHighlights.TYPE, new PassageHighlighter(services));
  }

  /** The retrievers, by their prefixed names. */
  public static List<RetrieverSpec<?>> retrievers(
      Settings settings, Supplier<SearchServices> services) {
    int maxWindow = MaxsimRetriever.MAX_WINDOW.get(settings);
    return List.of(
        new RetrieverSpec<>(
            MaxsimRetriever.NAME,
            (parser, context) ->
                MaxsimRetriever.fromXContent(parser, context, services, maxWindow)),
        new RetrieverSpec<>(
            HybridRetrieverBuilder.OWN_NAME,
            (parser, context) -> HybridRetrieverBuilder.fromXContent(parser, context, services)),
        new RetrieverSpec<>(
            RerankRetrieverBuilder.OWN_NAME,
            (parser, context) -> RerankRetrieverBuilder.fromXContent(parser, context, services)));
  }

  /** Queries and retriever by their plain names, where they may have them. */
  public static List<NamedXContentRegistry.Entry> plain(
      Settings settings, Supplier<SearchServices> services) {
    if (!PLAIN.get(settings)) {
      return List.of();
    }
    int maxWindow = MaxsimRetriever.MAX_WINDOW.get(settings);
    return List.of(
        new NamedXContentRegistry.Entry(
            QueryBuilder.class,
            new ParseField(MaxsimQueryBuilder.PLAIN_NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) -> MaxsimQueryBuilder.fromXContent(parser, services))),
        new NamedXContentRegistry.Entry(
            RetrieverBuilder.class,
            new ParseField(MaxsimRetriever.PLAIN_NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) ->
                    MaxsimRetriever.fromXContent(
                        parser, (RetrieverParserContext) context, services, maxWindow))),
        new NamedXContentRegistry.Entry(
            QueryBuilder.class,
            new ParseField(DenseQueryBuilder.PLAIN_NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) -> DenseQueryBuilder.fromXContent(parser, services))),
        new NamedXContentRegistry.Entry(
            QueryBuilder.class,
            new ParseField(SparseQueryBuilder.PLAIN_NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) -> SparseQueryBuilder.fromXContent(parser, services))),
        new NamedXContentRegistry.Entry(
            RetrieverBuilder.class,
            new ParseField(HybridRetrieverBuilder.NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) ->
                    HybridRetrieverBuilder.fromXContent(
                        parser, (RetrieverParserContext) context, services))),
        new NamedXContentRegistry.Entry(
            RetrieverBuilder.class,
            new ParseField(RerankRetrieverBuilder.NAME),
            new SetDensehookSearchPlainNamesToFalse<>(
                (parser, context) ->
                    RerankRetrieverBuilder.fromXContent(
                        parser, (RetrieverParserContext) context, services))));
  }

  /**
   * A parser of a plain name. A node that ends because the name is taken prints the class of the
   * parser, and nothing else of whoever wanted it: so that is where it can say what to do.
   */
  private record SetDensehookSearchPlainNamesToFalse<T>(ContextParser<Object, T> parser)
      implements ContextParser<Object, T> {

    @Override
    public T parse(XContentParser content, Object context) throws IOException {
      return parser.parse(content, context);
    }
  }
}
