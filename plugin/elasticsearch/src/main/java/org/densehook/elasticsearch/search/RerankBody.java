package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.densehook.elasticsearch.service.EncoderSettings;
import org.densehook.elasticsearch.vectors.TextTemplate;
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

/** What the body of a rerank retriever states. */
final class RerankBody {

  static final ParseField RETRIEVER = new ParseField("retriever");
  static final ParseField ENCODER = new ParseField("encoder");
  static final ParseField TEXT = new ParseField("text");
  static final ParseField FIELD = new ParseField("field", "fields");
  static final ParseField TEMPLATE = new ParseField("template");
  static final ParseField CHUNKS = new ParseField("chunks");
  static final ParseField ON_FAILURE = new ParseField("on_failure");
  private static final ParseField RANK_WINDOW_SIZE = new ParseField("rank_window_size");

  private static final String NAMED = "[" + RerankRetrieverBuilder.NAME + "] ";
  private static final int DEFAULT_RANK_WINDOW_SIZE = 50;
  private static final List<String> FAILURES =
      Arrays.stream(RerankOrder.OnFailure.values()).map(RerankOrder.OnFailure::toString).toList();

  private static final ObjectParser<RerankBody, RetrieverParserContext> PARSER =
      new ObjectParser<>(RerankRetrieverBuilder.NAME, RerankBody::new);

  static {
    PARSER.declareField(
        (body, read) -> body.child = read,
        HybridRetrieverBuilder::parseChild,
        RETRIEVER,
        ObjectParser.ValueType.OBJECT);
    value(
        ENCODER,
        (parser, place) -> HybridValues.text(parser, place, "the name of an encoder"),
        (body, read) -> body.encoder = read);
    value(
        TEXT,
        (parser, place) -> HybridValues.text(parser, place, "a text to rank documents for"),
        (body, read) -> body.text = read);
    value(FIELD, RerankBody::fields, (body, read) -> body.fields = read);
    value(
        TEMPLATE,
        (parser, place) -> HybridValues.text(parser, place, "a text with fields in braces"),
        (body, read) -> body.template = read);
    value(CHUNKS, HybridValues::positive, (body, read) -> body.chunks = read);
    value(RANK_WINDOW_SIZE, HybridValues::positive, (body, read) -> body.window = read);
    value(
        ON_FAILURE,
        (parser, place) -> HybridValues.oneOf(parser, place, FAILURES),
        (body, read) -> body.onFailure = read);
    value(
        RetrieverBuilder.MIN_SCORE_FIELD,
        HybridValues::atLeastZero,
        (body, read) -> body.minScore = read.floatValue());
    value(
        RetrieverBuilder.NAME_FIELD,
        (parser, place) -> HybridValues.text(parser, place, "a name"),
        (body, read) -> body.name = read);
    PARSER.declareField(
        (body, read) -> body.filters = read,
        (parser, context) ->
            HybridValues.oneOrMore(
                parser,
                (each, position) ->
                    AbstractQueryBuilder.parseTopLevelQuery(each, context::trackQueryUsage)),
        RetrieverBuilder.PRE_FILTER_FIELD,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
  }

  /** Reads one value; knows what it is called. */
  @FunctionalInterface
  private interface Value<T> {
    T read(XContentParser parser, String place) throws IOException;
  }

  private RetrieverBuilder child;
  private String encoder;
  private String text;
  private List<String> fields;
  private String template;
  private Integer chunks;
  private Integer window;
  private String onFailure = RerankOrder.OnFailure.ERROR.toString();
  private List<QueryBuilder> filters = new ArrayList<>();
  private Float minScore;
  private String name;

  private RerankBody() {}

  /**
   * Reads the body of a rerank retriever, from the name before it or from its first brace.
   *
   * @throws ParsingException naming in one line what is wrong and what is allowed
   */
  static RerankRetrieverBuilder parse(
      XContentParser parser, RetrieverParserContext context, Supplier<SearchServices> services)
      throws IOException {
    XContentLocation start = parser.getTokenLocation();
    try {
      return PARSER.parse(parser, context).built(services);
    } catch (XContentParseException e) {
      throw HybridValues.innermost(e);
    } catch (IllegalArgumentException e) {
      throw new ParsingException(start, NAMED + e.getMessage(), e);
    }
  }

  private static <T> void value(
      ParseField field, Value<T> value, BiConsumer<RerankBody, T> consumer) {
    PARSER.declareField(
        consumer,
        (parser, context) -> read(value, parser, field.getPreferredName()),
        field,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
  }

  /** What is wrong with a value is said as of this retriever. */
  private static <T> T read(Value<T> value, XContentParser parser, String place)
      throws IOException {
    try {
      return value.read(parser, place);
    } catch (ParsingException e) {
      String said = NAMED + e.getMessage().substring(HybridValues.named("").length());
      throw new ParsingException(parser.getTokenLocation(), said, e);
    }
  }

  private static List<String> fields(XContentParser parser, String place) throws IOException {
    String allowed = "a field's name or a list of them";
    List<String> found =
        HybridValues.oneOrMore(parser, (each, position) -> HybridValues.text(each, place, allowed));
    if (found.isEmpty()) {
      throw HybridValues.wrong(parser, place, "[]", allowed);
    }
    return found;
  }

  private RerankRetrieverBuilder built(Supplier<SearchServices> services) {
    if (child == null) {
      throw refused("needs [retriever], whose documents it is to put in order");
    }
    if (text == null) {
      throw refused("needs [text], which documents are ranked for");
    }
    if (fields == null) {
      throw refused("needs [field], one or a list, which a document's text is made of");
    }
    if (new HashSet<>(fields).size() != fields.size()) {
      throw refused("[field] names " + fields + "; name each once");
    }
    int most = services.get().encoders().mostReranked();
    int size = window == null ? Math.min(DEFAULT_RANK_WINDOW_SIZE, most) : window;
    if (size > most) {
      throw refused(
          "[rank_window_size] is ["
              + size
              + "]; each of these documents would be scored, and ["
              + EncoderSettings.RERANK_MAX_WINDOW.getKey()
              + "] lets "
              + most
              + " be; rerank fewer, or raise that setting");
    }
    RerankOrder order =
        new RerankOrder(
            encoder,
            text,
            fields,
            template == null ? null : TextTemplate.parse(template, fields),
            chunks == null ? 0 : chunks,
            RerankOrder.OnFailure.values()[FAILURES.indexOf(onFailure)]);
    RetrieverBuilder under =
        HybridRetrieverBuilder.under(Math.max(size, HybridBody.DEFAULT_RANK_WINDOW_SIZE), child);
    return new RerankRetrieverBuilder(RetrieverSource.from(under), order, size, services)
        .with(filters, minScore, name);
  }

  private static IllegalArgumentException refused(String message) {
    return new IllegalArgumentException(message);
  }
}
