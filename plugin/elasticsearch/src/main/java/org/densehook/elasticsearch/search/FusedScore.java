package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.lucene.search.Explanation;
import org.densehook.fusion.Part;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * How a fused score came about, for {@code explain}.
 *
 * @param formula what the score is, in one line
 * @param sum the sum of the contributions, in double precision
 * @param raised what was added to every fused score so that none is below 0; 0 for most
 * @param lists what each list gave, in the order of the inner retrievers
 */
record FusedScore(String formula, double sum, double raised, List<FromList> lists)
    implements ExplainedRankDoc.Story {

  /**
   * What one list gave.
   *
   * @param label what the list is called
   * @param normalizer name of the normalizer, empty where scores are not normalised
   */
  record FromList(String label, String normalizer, Part part) {

    static FromList read(StreamInput in) throws IOException {
      return new FromList(
          in.readString(),
          in.readString(),
          new Part(
              in.readVInt(), in.readDouble(), in.readDouble(), in.readDouble(), in.readDouble()));
    }

    void write(StreamOutput out) throws IOException {
      out.writeString(label);
      out.writeString(normalizer);
      out.writeVInt(part.rank());
      out.writeDouble(part.score());
      out.writeDouble(part.normalised());
      out.writeDouble(part.weight());
      out.writeDouble(part.contribution());
    }

    Explanation explain(int list, Explanation... source) {
      String place = String.format(Locale.ROOT, "list [%d] [%s]: ", list, label);
      String given =
          String.format(
              Locale.ROOT, "weight [%s], contribution [%s]", part.weight(), part.contribution());
      if (!part.present()) {
        String instead =
            Double.isNaN(part.normalised())
                ? "; "
                : String.format(
                    Locale.ROOT,
                    ", counts as its lowest, normalised by %s to [%s], ",
                    normalizer,
                    part.normalised());
        return Explanation.noMatch(
            place + "did not return this document" + instead + given, source);
      }
      String score = // it was a float in the search response; none where the list is sorted
          Double.isNaN(part.score()) ? "" : ", score [" + (float) part.score() + "]";
      String normalised =
          normalizer.isEmpty()
              ? ""
              : String.format(
                  Locale.ROOT, ", normalised by %s to [%s]", normalizer, part.normalised());
      return Explanation.match(
          part.contribution(),
          place + "rank [" + part.rank() + "]" + score + normalised + ", " + given,
          source);
    }

    void toXContent(XContentBuilder builder) throws IOException {
      builder.startObject();
      builder.field("list", label);
      if (part.present()) {
        builder.field("rank", part.rank());
      }
      if (!Double.isNaN(part.score())) {
        builder.field("score", part.score());
      }
      if (!Double.isNaN(part.normalised())) {
        builder.field("normalizer", normalizer);
        builder.field("normalised", part.normalised());
      }
      builder.field("weight", part.weight());
      builder.field("contribution", part.contribution());
      builder.endObject();
    }
  }

  static FusedScore read(StreamInput in) throws IOException {
    return new FusedScore(
        in.readString(), in.readDouble(), in.readDouble(), in.readCollectionAsList(FromList::read));
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(formula);
    out.writeDouble(sum);
    out.writeDouble(raised);
    out.writeCollection(lists, (stream, list) -> list.write(stream));
  }

  /** As {@code Story} has it; the sources are of each inner retriever, in their order. */
  @Override
  public Explanation explain(float score, int rank, Explanation[] sources) {
    List<Explanation> details = new ArrayList<>();
    for (int list = 0; list < lists.size(); list++) {
      Explanation[] source =
          list < sources.length ? new Explanation[] {sources[list]} : new Explanation[0];
      details.add(lists.get(list).explain(list, source));
    }
    String shift =
        raised == 0
            ? ""
            : String.format(Locale.ROOT, " raised by [%s] so that the lowest of all is 0", raised);
    return Explanation.match(
        score,
        String.format(
            Locale.ROOT,
            "fused rank [%d], sum [%s]%s: %s, over [%d] lists",
            rank,
            sum,
            shift,
            formula,
            lists.size()),
        details);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.field("formula", formula);
    builder.field("sum", sum);
    builder.field("raised", raised);
    builder.startArray("lists");
    for (FromList list : lists) {
      list.toXContent(builder);
    }
    return builder.endArray();
  }
}
