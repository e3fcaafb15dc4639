package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.List;
import org.densehook.fusion.Normalizer;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.FilterXContentParserWrapper;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentParser;

/** An item of a hybrid retriever's list: a retriever, alone or with how it takes part. */
final class HybridEntry {

  static final ParseField RETRIEVER = new ParseField("retriever");
  static final ParseField WEIGHT = new ParseField("weight");
  private static final List<String> KNOWN =
      List.of(
          RETRIEVER.getPreferredName(),
          WEIGHT.getPreferredName(),
          HybridBody.NORMALIZER.getPreferredName());

  private static final ObjectParser<HybridEntry, RetrieverParserContext> PARSER =
      new ObjectParser<>(HybridRetrieverBuilder.NAME, HybridEntry::new);

  static {
    PARSER.declareField(
        (entry, retriever) -> entry.retriever = retriever,
        HybridRetrieverBuilder::parseChild,
        RETRIEVER,
        ObjectParser.ValueType.OBJECT);
    PARSER.declareField(
        (entry, weight) -> entry.weight = weight,
        (parser, context) -> HybridValues.atLeastZero(parser, WEIGHT.getPreferredName()),
        WEIGHT,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    HybridBody.declareNormalizer(PARSER, (entry, normalizer) -> entry.normalizer = normalizer);
  }

  private RetrieverBuilder retriever;
  private double weight = 1;
  private Normalizer normalizer;

  private HybridEntry() {}

  static HybridEntry parse(XContentParser parser, RetrieverParserContext context, int position)
      throws IOException {
    String place = HybridBody.RETRIEVERS.getPreferredName() + "][" + position;
    String allowed = "a retriever, or an object of " + KNOWN;
    if (parser.currentToken() != XContentParser.Token.START_OBJECT) {
      throw HybridValues.wrong(parser, place, HybridValues.seen(parser), allowed);
    }
    if (parser.nextToken() == XContentParser.Token.END_OBJECT) {
      throw HybridValues.wrong(parser, place, "{}", allowed);
    }
    XContentParser whole = new Rewound(parser);
    if (KNOWN.contains(parser.currentName())) {
      HybridEntry entry = PARSER.parse(whole, context);
      if (entry.retriever == null) {
        throw HybridValues.refused(
            parser, "[" + place + "] has no [retriever]; give the one to be weighted");
      }
      return entry;
    }
    HybridEntry bare = new HybridEntry();
    bare.retriever = HybridRetrieverBuilder.parseChild(whole, context);
    return bare;
  }

  RetrieverBuilder retriever() {
    return retriever;
  }

  double weight() {
    return weight;
  }

  /** Null where none is stated. */
  Normalizer normalizer() {
    return normalizer;
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
