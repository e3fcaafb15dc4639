package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * A field that a hybrid retriever's shorthand searches, as a user writes it: {@code title^2}, or
 * with a query vector of its own, or with how documents of chunks are scored.
 *
 * @param name its path in the mapping, or a pattern of such
 * @param boost for a text field the boost in the BM25 query, for a vector field the weight of its
 *     list among the vector fields; at least 0
 * @param vector the query's vector for a dense_vector field; null to encode the text
 * @param tokens the query's tokens and their weights for a sparse_vector field, or null
 * @param passages how documents of a field of chunks are scored; null for each by its best chunk
 */
record HybridField(
    String name,
    float boost,
    List<Float> vector,
    Map<String, Float> tokens,
    PassageScoring passages)
    implements ToXContentFragment {

  private static final ParseField FIELD = new ParseField("field");
  private static final ParseField BOOST = new ParseField("boost");
  private static final ParseField QUERY_VECTOR = new ParseField("query_vector");

  private static final ObjectParser<Written, Void> PARSER =
      new ObjectParser<>(HybridRetrieverBuilder.NAME, Written::new);

  static {
    PARSER.declareField(
        (written, read) -> written.name = read,
        (parser, nothing) -> HybridValues.text(parser, FIELD.getPreferredName(), "a field's name"),
        FIELD,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    PARSER.declareField(
        (written, read) -> written.boost = read.floatValue(),
        (parser, nothing) -> HybridValues.atLeastZero(parser, BOOST.getPreferredName()),
        BOOST,
        ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
    PARSER.declareField(
        Written::give,
        (parser, nothing) -> parser,
        QUERY_VECTOR,
        ObjectParser.ValueType.OBJECT_ARRAY);
    PARSER.declareObject(
        (written, read) -> written.passages = read,
        (parser, nothing) -> PassageScoring.parse(parser),
        PassageScoring.PASSAGES);
    PARSER.declareRequiredFieldSet(FIELD.getPreferredName());
    String[] beside = {QUERY_VECTOR.getPreferredName(), PassageScoring.PASSAGES.getPreferredName()};
    PARSER.declareRequiredFieldSet(beside);
    PARSER.declareExclusiveFieldSet(beside);
  }

  /** What an object states, until all of it is read. */
  private static final class Written {

    private String name;
    private float boost = 1;
    private List<Float> vector;
    private Map<String, Float> tokens;
    private PassageScoring passages;

    private void give(XContentParser parser) {
      try {
        if (parser.currentToken() == XContentParser.Token.START_ARRAY) {
          vector = new ArrayList<>();
          while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
            vector.add(parser.floatValue());
          }
        } else {
          tokens = parser.map(LinkedHashMap::new, XContentParser::floatValue);
        }
      } catch (IOException e) {
        throw refused(QUERY_VECTOR.getPreferredName() + " of " + name, e.getMessage());
      }
    }
  }

  static HybridField parse(XContentParser parser) throws IOException {
    if (parser.currentToken() == XContentParser.Token.START_OBJECT) {
      Written written = PARSER.parse(parser, null);
      return new HybridField(
          written.name, written.boost, written.vector, written.tokens, written.passages);
    }
    return parse(
        HybridValues.text(
            parser,
            HybridBody.FIELDS.getPreferredName(),
            "a list of names of text and vector fields"));
  }

  static HybridField parse(String written) {
    int caret = written.lastIndexOf('^');
    String name = caret < 0 ? written : written.substring(0, caret);
    if (name.isBlank()) {
      throw refused(written);
    }
    if (caret < 0) {
      return named(name, 1);
    }
    try {
      float boost = Float.parseFloat(written.substring(caret + 1));
      if (boost >= 0 && boost < Float.POSITIVE_INFINITY) {
        return named(name, boost);
      }
    } catch (NumberFormatException e) {
      // refused below, like a boost out of range
    }
    throw refused(written);
  }

  private static HybridField named(String name, float boost) {
    return new HybridField(name, boost, null, null, null);
  }

  private static IllegalArgumentException refused(String written) {
    return refused(
        written, "each must be a field's name, or name^boost with a boost of at least 0");
  }

  private static IllegalArgumentException refused(String written, String why) {
    return new IllegalArgumentException(
        HybridValues.named(String.format(Locale.ROOT, "[fields] holds [%s]; %s", written, why)));
  }

  /** Whether it stands for every field that its pattern fits. */
  boolean isPattern() {
    return name.indexOf('*') >= 0;
  }

  /** The same for one of the fields that its pattern fits. */
  HybridField at(String path) {
    return new HybridField(path, boost, vector, tokens, passages);
  }

  /** Whether the query's vector or tokens come with it. */
  boolean isGiven() {
    return vector != null || tokens != null;
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    if (!isGiven() && passages == null) {
      return builder.value(boost == 1f ? name : name + "^" + boost);
    }
    builder.startObject();
    builder.field(FIELD.getPreferredName(), name);
    builder.field(BOOST.getPreferredName(), boost);
    if (isGiven()) {
      builder.field(QUERY_VECTOR.getPreferredName(), vector == null ? tokens : vector);
    } else {
      builder.field(PassageScoring.PASSAGES.getPreferredName(), passages);
    }
    return builder.endObject();
  }
}
