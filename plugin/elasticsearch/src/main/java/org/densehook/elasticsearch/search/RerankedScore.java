package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Locale;
import org.apache.lucene.search.Explanation;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * How a document's place in a reranking came about, for {@code explain}.
 *
 * @param encoder whose score it is
 * @param score the encoder's own; NaN where the document has none
 * @param chunk which of its chunks has that score; below 0 where its text was scored as a whole
 * @param foundRank its place among the documents that were reranked
 * @param foundScore its score there
 */
record RerankedScore(String encoder, float score, int chunk, int foundRank, float foundScore)
    implements ExplainedRankDoc.Story {

  static RerankedScore read(StreamInput in) throws IOException {
    return new RerankedScore(
        in.readString(), in.readFloat(), in.readInt(), in.readVInt(), in.readFloat());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(encoder);
    out.writeFloat(score);
    out.writeInt(chunk);
    out.writeVInt(foundRank);
    out.writeFloat(foundScore);
  }

  @Override
  public Explanation explain(float shown, int rank, Explanation[] sources) {
    Explanation found =
        Explanation.match(
            foundScore, "found at rank [" + foundRank + "], score [" + foundScore + "]", sources);
    if (Float.isNaN(score)) {
      return Explanation.match(
          shown,
          String.format(
              Locale.ROOT, "reranked rank [%d]: not scored by encoder [%s]", rank, encoder),
          found);
    }
    String of = chunk < 0 ? "" : " of chunk [" + chunk + "]";
    return Explanation.match(
        shown,
        String.format(
            Locale.ROOT,
            "reranked rank [%d]: score [%s]%s by encoder [%s]",
            rank,
            score,
            of,
            encoder),
        found);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.field("encoder", encoder);
    if (!Float.isNaN(score)) {
      builder.field("encoder_score", score);
    }
    if (chunk >= 0) {
      builder.field("chunk", chunk);
    }
    builder.field("found_rank", foundRank);
    return builder.field("found_score", foundScore);
  }
}
