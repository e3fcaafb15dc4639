package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.ToXContentObject;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;

/**
 * How the score of a document is made of those of its chunks; Dai and Callan 2019.
 *
 * @param score what is taken of them
 * @param best of how many, the best, the sum or the mean is taken; null for all
 * @param weights what each is multiplied by before
 */
record PassageScoring(Score score, Integer best, SectionWeights weights)
    implements Writeable, ToXContentObject {

  static final ParseField PASSAGES = new ParseField("passages");

  private static final ParseField SCORE = new ParseField("score");
  private static final ParseField BEST = new ParseField("best");
  private static final ParseField SECTIONS = new ParseField("sections");
  private static final ParseField OTHER = new ParseField("other");

  /** What is taken of the scores of a document's chunks. */
  enum Score {
    MAX,
    FIRST,
    SUM,
    MEAN;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    private static Score named(String stated) {
      return Stream.of(values())
          .filter(score -> score.toString().equals(stated))
          .findFirst()
          .orElseThrow(() -> refused(SCORE, stated, "it is one of " + List.of(values())));
    }

    private boolean takesSeveral() {
      return this == SUM || this == MEAN;
    }
  }

  private static final ConstructingObjectParser<PassageScoring, Void> PARSER =
      new ConstructingObjectParser<>(
          PASSAGES.getPreferredName(), false, (a, nothing) -> stated(a[0], a[1], a[2], a[3]));

  static {
    PARSER.declareString(ConstructingObjectParser.optionalConstructorArg(), SCORE);
    PARSER.declareInt(ConstructingObjectParser.optionalConstructorArg(), BEST);
    PARSER.declareObject(
        ConstructingObjectParser.optionalConstructorArg(),
        (parser, nothing) -> parser.map(LinkedHashMap::new, XContentParser::floatValue),
        SECTIONS);
    PARSER.declareFloat(ConstructingObjectParser.optionalConstructorArg(), OTHER);
  }

  /** Refuses what cannot be. */
  PassageScoring {
    if (best != null && best < 1) {
      throw refused(BEST, best, "at least 1");
    }
    if (best != null && !score.takesSeveral()) {
      throw refused(BEST, best, "it is for [score] [sum] and [mean]; leave it out for " + score);
    }
    weights.byName().forEach((section, weight) -> requireWeight(SECTIONS, weight));
    requireWeight(OTHER, weights.other());
  }

  private static PassageScoring stated(Object score, Object best, Object sections, Object other) {
    @SuppressWarnings("unchecked") // as it was read
    Map<String, Float> byName = sections == null ? Map.of() : (Map<String, Float>) sections;
    return new PassageScoring(
        score == null ? Score.MAX : Score.named((String) score),
        (Integer) best,
        new SectionWeights(byName, other == null ? 1 : (Float) other));
  }

  /**
   * Reads the object that follows its name.
   *
   * @throws ParsingException saying what is wrong in one line
   */
  static PassageScoring parse(XContentParser parser) {
    try {
      return PARSER.apply(parser, null);
    } catch (XContentParseException e) {
      throw HybridValues.innermost(e);
    }
  }

  static PassageScoring read(StreamInput in) throws IOException {
    return new PassageScoring(
        in.readEnum(Score.class), in.readOptionalVInt(), SectionWeights.read(in));
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeEnum(score);
    out.writeOptionalVInt(best);
    weights.writeTo(out);
  }

  private static void requireWeight(ParseField name, float weight) {
    if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
      throw refused(name, weight, "a weight is a number of at least 0");
    }
  }

  private static IllegalArgumentException refused(ParseField name, Object value, String why) {
    return new IllegalArgumentException(
        "["
            + name.getPreferredName()
            + "] of ["
            + PASSAGES.getPreferredName()
            + "] is ["
            + value
            + "]; "
            + why);
  }

  /** Whether it is what a kNN search in nested objects scores by itself. */
  boolean isOfBestChunk() {
    return score == Score.MAX && weights.isNone();
  }

  /** Whether the chunks' sections matter. */
  boolean weighsSections() {
    return !weights.byName().isEmpty();
  }

  /**
   * The document's score.
   *
   * @param scores those of its chunks in their order, weighed; one at least
   */
  double of(List<Float> scores) {
    if (score == Score.FIRST) {
      return scores.get(0);
    }
    List<Float> taken =
        scores.stream().sorted(Comparator.reverseOrder()).limit(taken(scores.size())).toList();
    double sum = taken.stream().mapToDouble(Float::doubleValue).sum();
    return score == Score.MEAN ? sum / taken.size() : sum;
  }

  /** Of so many chunks, how many count. */
  private int taken(int chunks) {
    if (!score.takesSeveral()) {
      return 1;
    }
    return best == null ? chunks : Math.min(best, chunks);
  }

  /** What it is, of so many chunks. */
  String described(int chunks) {
    String which = best == null ? "" : "best " + taken(chunks) + " of ";
    return score + " of the " + which + chunks + " chunks";
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject();
    builder.field(SCORE.getPreferredName(), score.toString());
    if (best != null) {
      builder.field(BEST.getPreferredName(), best);
    }
    if (!weights.isNone()) {
      builder.field(SECTIONS.getPreferredName(), weights.byName());
      builder.field(OTHER.getPreferredName(), weights.other());
    }
    return builder.endObject();
  }
}
