package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentLocation;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Retriever {@code maxsim}: the best hits of another retriever in the order of their MaxSim. It
 * does what Elasticsearch's own {@code rescorer} does, by the query {@code maxsim} alone.
 */
final class MaxsimRetriever extends CompoundRetrieverBuilder<MaxsimRetriever> {

  /** The name that is its alone. */
  static final String NAME = "densehook_maxsim";

  /** The name it has in requests where no other plugin has taken it, and in what it says. */
  static final String PLAIN_NAME = "maxsim";

  /** The largest window that a request may ask for. */
  static final Setting<Integer> MAX_WINDOW =
      Setting.intSetting(
          "densehook.maxsim.max_window", 1000, 1, 10_000, Setting.Property.NodeScope);

  private static final ParseField RETRIEVER = new ParseField("retriever");
  private static final int DEFAULT_WINDOW = 100;

  private static final ObjectParser<Body, RetrieverParserContext> PARSER =
      new ObjectParser<>(PLAIN_NAME, Body::new);

  static {
    PARSER.declareField(
        (body, read) -> body.child = read,
        HybridRetrieverBuilder::parseChild,
        RETRIEVER,
        ObjectParser.ValueType.OBJECT);
    PARSER.declareString((body, read) -> body.field = read, MaxsimQueryBuilder.FIELD);
    PARSER.declareString((body, read) -> body.text = read, AskedContent.TEXT);
    PARSER.declareString((body, read) -> body.image = read, AskedContent.IMAGE);
    PARSER.declareField(
        (body, read) -> body.vectors = read,
        (parser, context) -> QueryTokens.parse(parser),
        MaxsimQueryBuilder.VECTORS,
        ObjectParser.ValueType.OBJECT_ARRAY);
    PARSER.declareField(
        (body, read) -> body.window = read,
        (parser, context) -> window(parser),
        RANK_WINDOW_SIZE_FIELD,
        ObjectParser.ValueType.VALUE);
    PARSER.declareField(
        (body, read) -> body.filters = read,
        (parser, context) ->
            HybridValues.oneOrMore(
                parser,
                (each, position) ->
                    AbstractQueryBuilder.parseTopLevelQuery(each, context::trackQueryUsage)),
        PRE_FILTER_FIELD,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    PARSER.declareFloat((body, read) -> body.minScore = read, MIN_SCORE_FIELD);
    PARSER.declareString((body, read) -> body.name = read, NAME_FIELD);
  }

  /** What a request states. */
  private static final class Body {

    private RetrieverBuilder child;
    private String field;
    private String text;
    private String image;
    private QueryTokens vectors;
    private Object window;
    private List<QueryBuilder> filters = new ArrayList<>();
    private Float minScore;
    private String name;

    private MaxsimRetriever retriever(Supplier<SearchServices> services, int maxWindow) {
      if (child == null || field == null) {
        throw new IllegalArgumentException(
            "["
                + PLAIN_NAME
                + "] needs [retriever], whose hits it scores, [field] and [text] or [image]");
      }
      return new MaxsimRetriever(
              List.of(RetrieverSource.from(child)),
              MaxsimQueryBuilder.of(services, field, text, image, vectors),
              window(window, maxWindow))
          .with(filters, minScore, name);
    }
  }

  private final MaxsimQueryBuilder query;

  private MaxsimRetriever(
      List<RetrieverSource> child, MaxsimQueryBuilder query, int rankWindowSize) {
    super(new ArrayList<>(child), rankWindowSize);
    this.query = query;
  }

  private MaxsimRetriever with(List<QueryBuilder> filters, Float minScore, String name) {
    this.preFilterQueryBuilders = new ArrayList<>(filters);
    this.minScore = minScore;
    this.retrieverName = name;
    return this;
  }

  /**
   * Reads its body.
   *
   * @throws ParsingException naming in one line what is wrong and what is allowed
   */
  static MaxsimRetriever fromXContent(
      XContentParser parser,
      RetrieverParserContext context,
      Supplier<SearchServices> services,
      int maxWindow)
      throws IOException {
    XContentLocation start = parser.getTokenLocation();
    try {
      return PARSER.parse(parser, context).retriever(services, maxWindow);
    } catch (XContentParseException e) {
      throw HybridValues.innermost(e);
    } catch (IllegalArgumentException e) {
      throw new ParsingException(start, e.getMessage(), e);
    }
  }

  private static Object window(XContentParser parser) throws IOException {
    return parser.currentToken() == XContentParser.Token.VALUE_NUMBER
        ? parser.numberValue()
        : HybridValues.seen(parser);
  }

  private static int window(Object stated, int maxWindow) {
    if (stated == null) {
      return Math.min(DEFAULT_WINDOW, maxWindow);
    }
    if (!(stated instanceof Integer window) || window < 1 || window > maxWindow) {
      throw new IllegalArgumentException(
          "["
              + RANK_WINDOW_SIZE_FIELD.getPreferredName()
              + "] of ["
              + PLAIN_NAME
              + "] is ["
              + stated
              + "]; it must be from 1 to ["
              + MAX_WINDOW.getKey()
              + "], which is "
              + maxWindow);
    }
    return window;
  }

  @Override
  public String getName() {
    return PLAIN_NAME;
  }

  @Override
  protected MaxsimRetriever clone(List<RetrieverSource> child, List<QueryBuilder> filters) {
    return new MaxsimRetriever(child, query, rankWindowSize).with(filters, minScore, retrieverName);
  }

  @Override
  protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
    return source.addRescorer(
        new QueryRescorerBuilder(query)
            .setQueryWeight(0)
            .setRescoreQueryWeight(1)
            .windowSize(rankWindowSize));
  }

  @Override
  protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
    ScoreDoc[] scored = results.get(0);
    RankDoc[] docs = new RankDoc[scored.length];
    for (int i = 0; i < docs.length; i++) {
      docs[i] = new RankDoc(scored[i].doc, scored[i].score, scored[i].shardIndex);
      docs[i].rank = i + 1;
    }
    return docs;
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    builder.field(RETRIEVER.getPreferredName(), innerRetrievers.get(0).retriever());
    query.askedToXContent(builder);
    builder.field(RANK_WINDOW_SIZE_FIELD.getPreferredName(), rankWindowSize);
  }

  @Override
  public boolean doEquals(Object o) {
    return super.doEquals(o) && query.equals(((MaxsimRetriever) o).query);
  }

  @Override
  public int doHashCode() {
    return Objects.hash(super.doHashCode(), query);
  }
}
