package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.densehook.elasticsearch.service.NodeEncoders;
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
import org.elasticsearch.xcontent.FilterXContentParserWrapper;
import org.elasticsearch.xcontent.XContentLocation;
import org.elasticsearch.xcontent.XContentParser;

/**
 * Reads the body of a hybrid retriever.
 *
 * <p>By hand and not with an ObjectParser: that one wraps what is wrong in one more exception at
 * each level, and a user should read one line that says it.
 */
final class HybridParser {

  static final String FUSION = "fusion";
  static final String RANK_CONSTANT = "rank_constant";
  static final String RANK_WINDOW_SIZE = "rank_window_size";
  static final String RETRIEVERS = "retrievers";
  static final String RETRIEVER = "retriever";
  static final String WEIGHT = "weight";
  static final String NORMALIZER = "normalizer";
  static final String QUERY = "query";
  static final String FIELDS = "fields";
  static final String FILTER = "filter";
  static final String MIN_SCORE = "min_score";
  static final String NAME = "_name";

  private static final List<String> KNOWN =
      List.of(
          FUSION,
          RANK_CONSTANT,
          RANK_WINDOW_SIZE,
          RETRIEVERS,
          QUERY,
          FIELDS,
          NORMALIZER,
          FILTER,
          MIN_SCORE,
          NAME);

  private static final List<String> KNOWN_OF_ENTRY = List.of(RETRIEVER, WEIGHT, NORMALIZER);

  /** The constant of Cormack et al. 2009. */
  private static final int DEFAULT_RANK_CONSTANT = 60;

  private static final int DEFAULT_RANK_WINDOW_SIZE = 100;

  /** An entry of retrievers; the normalizer is null where none is stated. */
  private record Entry(RetrieverBuilder retriever, double weight, Normalizer normalizer) {}

  private final XContentParser parser;
  private final RetrieverParserContext context;
  private final XContentLocation start;

  private String fusion = ReciprocalRankFusion.NAME;
  private Integer rankConstant;
  private int rankWindowSize = DEFAULT_RANK_WINDOW_SIZE;
  private List<Entry> entries;
  private String query;
  private List<HybridField> fields;
  private Normalizer normalizer;
  private List<QueryBuilder> filters = new ArrayList<>();
  private Float minScore;
  private String name;

  HybridParser(XContentParser parser, RetrieverParserContext context) {
    this.parser = parser;
    this.context = context;
    this.start = parser.getTokenLocation();
  }

  /** Reads from the body's first brace to its last. */
  HybridRetrieverBuilder parse(Supplier<NodeEncoders> encoders) throws IOException {
    while (parser.nextToken() != XContentParser.Token.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case FUSION -> fusion = fusionName();
        case RANK_CONSTANT -> rankConstant = positive(key);
        case RANK_WINDOW_SIZE -> rankWindowSize = positive(key);
        case RETRIEVERS -> entries = entries();
        case QUERY -> query = text(key, "a text to search for");
        case FIELDS -> fields = fields();
        case NORMALIZER -> normalizer = normalizer();
        case FILTER -> filters = filters();
        case MIN_SCORE -> minScore = (float) atLeastZero(key);
        case NAME -> name = text(key, "a name");
        default -> throw unknown(key, "", KNOWN);
      }
    }
    return built(encoders);
  }

  private HybridRetrieverBuilder built(Supplier<NodeEncoders> encoders) {
    boolean linear = fusion.equals(LinearCombination.NAME);
    if (linear && rankConstant != null) {
      throw refused("[rank_constant] is for [fusion] [rrf]; leave it out for [linear]");
    }
    Fusion fuses =
        linear
            ? new LinearCombination()
            : new ReciprocalRankFusion(rankConstant == null ? DEFAULT_RANK_CONSTANT : rankConstant);
    if (!linear && normalizer != null) {
      throw rankedNotScored("");
    }
    List<RetrieverSource> retrievers = new ArrayList<>();
    List<HybridList> lists = new ArrayList<>();
    HybridShorthand shorthand = null;
    if (entries != null) {
      if (query != null || fields != null) {
        throw refused(
            "takes [retrievers], or [query] with its [fields], not both: leave one of them out");
      }
      for (Entry entry : entries) {
        if (!linear && entry.normalizer() != null) {
          throw rankedNotScored(" of [retrievers][" + lists.size() + "]");
        }
        retrievers.add(RetrieverSource.from(entry.retriever()));
        Normalizer chosen = entry.normalizer() == null ? normalizer : entry.normalizer();
        lists.add(HybridList.of(entry.retriever(), entry.weight(), orDefault(chosen, linear)));
      }
    } else {
      shorthand = shorthand(linear);
    }
    return new HybridRetrieverBuilder(fuses, retrievers, lists, shorthand, rankWindowSize, encoders)
        .with(filters, minScore, name);
  }

  private HybridShorthand shorthand(boolean linear) {
    if (query == null) {
      throw refused(
          fields == null
              ? "needs [retrievers], a list of at least one, or [query], a text to search for"
              : "has [fields] without [query]; give the text to search them for");
    }
    if (rankWindowSize > HybridRetrieverBuilder.MOST_CANDIDATES) {
      throw refused(
          "[rank_window_size] is ["
              + rankWindowSize
              + "]; with [query] it is the k of a kNN search and must be at most "
              + HybridRetrieverBuilder.MOST_CANDIDATES);
    }
    return new HybridShorthand(
        query, fields == null ? List.of() : fields, orDefault(normalizer, linear));
  }

  private static Normalizer orDefault(Normalizer stated, boolean linear) {
    if (stated != null) {
      return stated;
    }
    return linear ? Normalizer.MINMAX : Normalizer.NONE;
  }

  private String fusionName() throws IOException {
    List<String> known = List.of(ReciprocalRankFusion.NAME, LinearCombination.NAME);
    String allowed = "one of " + known;
    String stated = text(FUSION, allowed);
    if (!known.contains(stated)) {
      throw wrong(FUSION, stated, allowed);
    }
    return stated;
  }

  private Normalizer normalizer() throws IOException {
    Map<String, Normalizer> known = Normalizer.BY_NAME;
    String allowed = "one of " + known.keySet();
    String stated = text(NORMALIZER, allowed);
    if (!known.containsKey(stated)) {
      throw wrong(NORMALIZER, stated, allowed);
    }
    return known.get(stated);
  }

  private List<Entry> entries() throws IOException {
    String allowed = "a list of at least one retriever";
    if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
      throw wrong(RETRIEVERS, seen(), allowed);
    }
    List<Entry> found = new ArrayList<>();
    while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
      found.add(entry(RETRIEVERS + "][" + found.size()));
    }
    if (found.isEmpty()) {
      throw wrong(RETRIEVERS, "[]", allowed);
    }
    return found;
  }

  private Entry entry(String place) throws IOException {
    String allowed = "a retriever, or an object of " + KNOWN_OF_ENTRY;
    if (parser.currentToken() != XContentParser.Token.START_OBJECT) {
      throw wrong(place, seen(), allowed);
    }
    if (parser.nextToken() == XContentParser.Token.END_OBJECT) {
      throw wrong(place, "{}", allowed);
    }
    if (!KNOWN_OF_ENTRY.contains(parser.currentName())) {
      RetrieverBuilder bare = HybridRetrieverBuilder.parseChild(new Rewound(parser), context);
      return new Entry(bare, 1, null);
    }
    RetrieverBuilder retriever = null;
    double weight = 1;
    Normalizer stated = null;
    do {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case RETRIEVER -> retriever = child(place);
        case WEIGHT -> weight = atLeastZero(key);
        case NORMALIZER -> stated = normalizer();
        default -> throw unknown(key, " of [" + place + "]", KNOWN_OF_ENTRY);
      }
    } while (parser.nextToken() != XContentParser.Token.END_OBJECT);
    if (retriever == null) {
      throw refused("[" + place + "] has no [retriever]; give the one to be weighted");
    }
    return new Entry(retriever, weight, stated);
  }

  private RetrieverBuilder child(String place) throws IOException {
    if (parser.currentToken() != XContentParser.Token.START_OBJECT) {
      throw wrong(place + "][" + RETRIEVER, seen(), "a retriever");
    }
    return HybridRetrieverBuilder.parseChild(parser, context);
  }

  private List<HybridField> fields() throws IOException {
    String allowed = "a list of names of text and vector fields";
    List<HybridField> found = new ArrayList<>();
    Set<String> names = new HashSet<>();
    boolean list = parser.currentToken() == XContentParser.Token.START_ARRAY;
    while (!list || parser.nextToken() != XContentParser.Token.END_ARRAY) {
      HybridField field;
      try {
        field = HybridField.parse(text(FIELDS, allowed));
      } catch (IllegalArgumentException e) {
        throw refused(e.getMessage());
      }
      if (!names.add(field.name())) {
        throw refused("[fields] names [" + field.name() + "] twice; name each field once");
      }
      found.add(field);
      if (!list) {
        return found;
      }
    }
    if (found.isEmpty()) {
      throw wrong(FIELDS, "[]", allowed + "; leave it out for those that the mapping states");
    }
    return found;
  }

  private List<QueryBuilder> filters() throws IOException {
    List<QueryBuilder> found = new ArrayList<>();
    if (parser.currentToken() == XContentParser.Token.START_OBJECT) {
      found.add(filter());
      return found;
    }
    if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
      throw wrong(FILTER, seen(), "a query or a list of queries");
    }
    while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
      found.add(filter());
    }
    return found;
  }

  private QueryBuilder filter() throws IOException {
    if (parser.currentToken() != XContentParser.Token.START_OBJECT) {
      throw wrong(FILTER, seen(), "a query or a list of queries");
    }
    return AbstractQueryBuilder.parseTopLevelQuery(parser, context::trackQueryUsage);
  }

  private String text(String key, String allowed) throws IOException {
    if (parser.currentToken() != XContentParser.Token.VALUE_STRING || parser.text().isBlank()) {
      throw wrong(key, seen(), allowed);
    }
    return parser.text();
  }

  private int positive(String key) throws IOException {
    String allowed = "a whole number of at least 1";
    try {
      int value = number(key, allowed).intValueExact();
      if (value >= 1) {
        return value;
      }
    } catch (ArithmeticException e) {
      // not whole, or too large: refused below
    }
    throw wrong(key, seen(), allowed);
  }

  private double atLeastZero(String key) throws IOException {
    String allowed = "a number of at least 0";
    double value = number(key, allowed).doubleValue();
    if (!(value >= 0 && value <= Float.MAX_VALUE)) {
      throw wrong(key, seen(), allowed);
    }
    return value;
  }

  /** A number, also in quotes, as elsewhere in Elasticsearch: templates write it so. */
  private BigDecimal number(String key, String allowed) throws IOException {
    XContentParser.Token token = parser.currentToken();
    if (token == XContentParser.Token.VALUE_NUMBER || token == XContentParser.Token.VALUE_STRING) {
      try {
        return new BigDecimal(parser.text());
      } catch (NumberFormatException e) {
        // refused below
      }
    }
    throw wrong(key, seen(), allowed);
  }

  /** The value at hand, as a message shows it. */
  private String seen() throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case VALUE_NULL -> "null";
      default -> parser.text();
    };
  }

  private ParsingException rankedNotScored(String where) {
    return refused(
        "[normalizer]"
            + where
            + " is for [fusion] [linear]: rrf looks at ranks, not at scores; leave it out or choose"
            + " [linear]");
  }

  private ParsingException unknown(String key, String where, List<String> known) {
    return refused("has no field [" + key + "]" + where + "; it takes " + known);
  }

  private ParsingException wrong(String key, String seen, String allowed) {
    return refused("[" + key + "] is [" + seen + "]; it must be " + allowed);
  }

  private ParsingException refused(String message) {
    XContentLocation here = parser.isClosed() ? start : parser.getTokenLocation();
    return new ParsingException(here, "[" + HybridRetrieverBuilder.NAME + "] " + message);
  }

  /**
   * A parser set back by one token, to the brace before the name that was read to see what it is.
   */
  private static final class Rewound extends FilterXContentParserWrapper {

    private boolean atBrace = true;

    Rewound(XContentParser parser) {
      super(parser);
    }

    @Override
    public Token currentToken() {
      return atBrace ? Token.START_OBJECT : super.currentToken();
    }

    @Override
    public Token nextToken() throws IOException {
      if (atBrace) {
        atBrace = false;
        return super.currentToken();
      }
      return super.nextToken();
    }
  }
}
