package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.densehook.encode.Content;
import org.densehook.fusion.Fusion;
import org.densehook.fusion.LinearCombination;
import org.densehook.fusion.Normalizer;
import org.densehook.fusion.ReciprocalRankFusion;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder.RetrieverSource;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentLocation;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;

/** What the body of a hybrid retriever states. */
final class HybridBody {

  static final ParseField FUSION = new ParseField("fusion");
  static final ParseField RANK_CONSTANT = new ParseField("rank_constant");
  static final ParseField RANK_WINDOW_SIZE = new ParseField("rank_window_size");
  static final ParseField RETRIEVERS = new ParseField("retrievers");
  static final ParseField NORMALIZER = new ParseField("normalizer");
  static final ParseField WEIGHTS = new ParseField("weights");
  static final ParseField QUERY = new ParseField("query");
  static final ParseField FIELDS = new ParseField("fields");
  static final ParseField INSTRUCTION = AskedContent.INSTRUCTION;

  /** In the place of weights: those that the index keeps. */
  static final String LEARNED = "learned";

  /** The constant of Cormack et al. 2009. */
  private static final int DEFAULT_RANK_CONSTANT = 60;

  static final int DEFAULT_RANK_WINDOW_SIZE = 100;

  private static final List<String> FUSIONS =
      List.of(ReciprocalRankFusion.NAME, LinearCombination.NAME);

  private static final ObjectParser<HybridBody, RetrieverParserContext> PARSER =
      new ObjectParser<>(HybridRetrieverBuilder.NAME, HybridBody::new);

  static {
    value(
        FUSION,
        (parser, place) -> HybridValues.oneOf(parser, place, FUSIONS),
        (body, read) -> body.fusion = read);
    value(RANK_CONSTANT, HybridValues::positive, (body, read) -> body.rankConstant = read);
    value(RANK_WINDOW_SIZE, HybridValues::positive, (body, read) -> body.rankWindowSize = read);
    value(WEIGHTS, HybridBody::learned, (body, read) -> body.learned = read);
    value(
        QUERY,
        (parser, place) -> HybridValues.text(parser, place, "a text to search for"),
        (body, read) -> body.query = read);
    value(
        INSTRUCTION,
        (parser, place) -> HybridValues.text(parser, place, "what the encoder is told to do"),
        (body, read) -> body.instruction = read);
    value(
        RetrieverBuilder.MIN_SCORE_FIELD,
        HybridValues::atLeastZero,
        (body, read) -> body.minScore = read.floatValue());
    value(
        RetrieverBuilder.NAME_FIELD,
        (parser, place) -> HybridValues.text(parser, place, "a name"),
        (body, read) -> body.name = read);
    declareNormalizer(PARSER, (body, read) -> body.normalizer = read);
    PARSER.declareField(
        (body, read) -> body.entries = read,
        HybridBody::entries,
        RETRIEVERS,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    PARSER.declareField(
        (body, read) -> body.fields = read,
        (parser, context) -> fields(parser),
        FIELDS,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    PARSER.declareField(
        (body, read) -> body.filters = read,
        (parser, context) ->
            HybridValues.oneOrMore(parser, (each, position) -> filter(each, context)),
        RetrieverBuilder.PRE_FILTER_FIELD,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
  }

  /** Reads one value; knows what it is called. */
  @FunctionalInterface
  private interface Value<T> {
    T read(XContentParser parser, String place) throws IOException;
  }

  private String fusion;
  private boolean learned;
  private Integer rankConstant;
  private Integer rankWindowSize;
  private List<HybridEntry> entries;
  private String query;
  private String instruction;
  private List<HybridField> fields;
  private Normalizer normalizer;
  private List<QueryBuilder> filters = new ArrayList<>();
  private Float minScore;
  private String name;

  private HybridBody() {}

  /**
   * Reads the body of a hybrid retriever, from the name before it or from its first brace.
   *
   * @throws ParsingException naming in one line what is wrong and what is allowed, however deep it
   *     was
   */
  static HybridRetrieverBuilder parse(
      XContentParser parser, RetrieverParserContext context, Supplier<SearchServices> services)
      throws IOException {
    XContentLocation start = parser.getTokenLocation();
    try {
      return PARSER.parse(parser, context).built(services);
    } catch (XContentParseException e) {
      throw HybridValues.innermost(e);
    } catch (IllegalArgumentException e) {
      throw new ParsingException(start, HybridValues.named(e.getMessage()), e);
    }
  }

  private static <T> void value(
      ParseField field, Value<T> value, BiConsumer<HybridBody, T> consumer) {
    PARSER.declareField(
        consumer,
        (parser, context) -> value.read(parser, field.getPreferredName()),
        field,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
  }

  static <T> void declareNormalizer(
      ObjectParser<T, RetrieverParserContext> parser, BiConsumer<T, Normalizer> consumer) {
    parser.declareField(
        consumer,
        (value, context) ->
            Normalizer.BY_NAME.get(
                HybridValues.oneOf(
                    value, NORMALIZER.getPreferredName(), Normalizer.BY_NAME.keySet())),
        NORMALIZER,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
  }

  private static List<HybridEntry> entries(XContentParser parser, RetrieverParserContext context)
      throws IOException {
    String place = RETRIEVERS.getPreferredName();
    String allowed = "a list of at least one retriever";
    if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
      throw HybridValues.wrong(parser, place, HybridValues.seen(parser), allowed);
    }
    List<HybridEntry> found =
        HybridValues.oneOrMore(
            parser, (each, position) -> HybridEntry.parse(each, context, position));
    if (found.isEmpty()) {
      throw HybridValues.wrong(parser, place, "[]", allowed);
    }
    return found;
  }

  private static List<HybridField> fields(XContentParser parser) throws IOException {
    List<HybridField> found =
        HybridValues.oneOrMore(parser, (each, position) -> HybridField.parse(each));
    if (found.isEmpty()) {
      throw HybridValues.wrong(
          parser,
          FIELDS.getPreferredName(),
          "[]",
          "a list of names of fields; leave it out for those that the mapping states");
    }
    Set<String> names = new HashSet<>();
    for (HybridField field : found) {
      if (!names.add(field.name())) {
        throw HybridValues.refused(
            parser, "[fields] names [" + field.name() + "] twice; name each field once");
      }
    }
    return found;
  }

  private static QueryBuilder filter(XContentParser parser, RetrieverParserContext context)
      throws IOException {
    if (parser.currentToken() != XContentParser.Token.START_OBJECT) {
      throw HybridValues.wrong(
          parser, "filter", HybridValues.seen(parser), "a query or a list of queries");
    }
    return AbstractQueryBuilder.parseTopLevelQuery(parser, context::trackQueryUsage);
  }

  private HybridRetrieverBuilder built(Supplier<SearchServices> services) {
    boolean linear = LinearCombination.NAME.equals(fusion);
    if (learned) {
      requireNothingBeside();
    }
    if (linear && rankConstant != null) {
      throw refused("[rank_constant] is for [fusion] [rrf]; leave it out for [linear]");
    }
    if (!linear && normalizer != null) {
      throw rankedNotScored("");
    }
    Fusion fuses =
        linear
            ? new LinearCombination()
            : new ReciprocalRankFusion(rankConstant == null ? DEFAULT_RANK_CONSTANT : rankConstant);
    int window = rankWindowSize == null ? DEFAULT_RANK_WINDOW_SIZE : rankWindowSize;
    HybridRetrieverBuilder built =
        entries == null
            ? new HybridRetrieverBuilder(
                fuses, List.of(), List.of(), shorthand(linear, window), window, services)
            : ofRetrievers(fuses, linear, window, services);
    return built.with(filters, minScore, name).stating(rankWindowSize != null);
  }

  private static boolean learned(XContentParser parser, String place) throws IOException {
    if (parser.currentToken() != XContentParser.Token.VALUE_STRING
        || !parser.text().equals(LEARNED)) {
      throw HybridValues.wrong(
          parser,
          place,
          HybridValues.seen(parser),
          "[learned]; the [weight] of one list stands beside its [retriever]");
    }
    return true;
  }

  /** Learned weights are for one fusion of a text's two lists, which the index keeps with them. */
  private void requireNothingBeside() {
    if (entries != null) {
      throw refused(
          "[weights] [learned] are for [query]; the [weight] of each of [retrievers] stands beside"
              + " it");
    }
    ParseField stated =
        fusion != null
            ? FUSION
            : normalizer != null ? NORMALIZER : rankConstant != null ? RANK_CONSTANT : null;
    if (stated != null) {
      throw refused(
          "["
              + stated.getPreferredName()
              + "] is kept with the [learned] [weights], which are for one fusion; leave it out");
    }
  }

  private HybridRetrieverBuilder ofRetrievers(
      Fusion fuses, boolean linear, int window, Supplier<SearchServices> services) {
    if (query != null || fields != null) {
      throw refused(
          "takes [retrievers], or [query] with its [fields], not both: leave one of them out");
    }
    if (instruction != null) {
      throw refused(
          "[instruction] is for [query]; with [retrievers] it stands beside the [text] of each");
    }
    List<RetrieverSource> retrievers = new ArrayList<>();
    List<HybridList> lists = new ArrayList<>();
    for (HybridEntry entry : entries) {
      if (!linear && entry.normalizer() != null) {
        throw rankedNotScored(" of [retrievers][" + lists.size() + "]");
      }
      RetrieverBuilder child = HybridRetrieverBuilder.under(window, entry.retriever());
      retrievers.add(new RetrieverSource(child, null));
      Normalizer chosen = entry.normalizer() == null ? normalizer : entry.normalizer();
      lists.add(HybridList.of(child, entry.weight(), orDefault(chosen, linear)));
    }
    return new HybridRetrieverBuilder(fuses, retrievers, lists, null, window, services);
  }

  private HybridShorthand shorthand(boolean linear, int window) {
    if (query == null) {
      throw refused(
          fields == null
              ? "needs [retrievers], a list of at least one, or [query], a text to search for"
              : "has [fields] without [query]; give the text to search them for");
    }
    if (window > HybridRetrieverBuilder.MOST_CANDIDATES) {
      throw refused(
          "[rank_window_size] is ["
              + window
              + "]; with [query] it is the k of a kNN search and must be at most "
              + HybridRetrieverBuilder.MOST_CANDIDATES);
    }
    return new HybridShorthand(
        new Content.Text(query, instruction),
        fields == null ? List.of() : fields,
        orDefault(normalizer, linear),
        learned);
  }

  private static Normalizer orDefault(Normalizer stated, boolean linear) {
    if (stated != null) {
      return stated;
    }
    return linear ? Normalizer.MINMAX : Normalizer.NONE;
  }

  private static IllegalArgumentException rankedNotScored(String where) {
    return refused(
        "[normalizer]"
            + where
            + " is for [fusion] [linear]: rrf looks at ranks, not at scores; leave it out or choose"
            + " [linear]");
  }

  private static IllegalArgumentException refused(String message) {
    return new IllegalArgumentException(message);
  }
}
