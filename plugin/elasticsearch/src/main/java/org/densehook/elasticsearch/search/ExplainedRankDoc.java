package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.apache.lucene.search.Explanation;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * A document that knows how its score came about; it travels to the shard that holds the document,
 * where a request asks for explanations.
 */
abstract class ExplainedRankDoc<S extends ExplainedRankDoc.Story> extends RankDoc {

  /** How a score came about. */
  interface Story extends Writeable, ToXContentFragment {

    /**
     * The tree that a user reads.
     *
     * @param shown the document's score as the response gives it
     * @param sources why what it was found by matched the document
     */
    Explanation explain(float shown, int rank, Explanation[] sources);
  }

  private final S story;

  ExplainedRankDoc(int doc, float score, int shardIndex, S story) {
    super(doc, score, shardIndex);
    this.story = story;
  }

  ExplainedRankDoc(StreamInput in, Writeable.Reader<S> reader) throws IOException {
    super(in);
    story = Wire.read(in, (body, version) -> reader.read(body));
  }

  @Override
  protected final void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(out, story::writeTo);
  }

  @Override
  public final TransportVersion getMinimalSupportedVersion() {
    return Wire.EVERY_VERSION;
  }

  @Override
  public final Explanation explain(Explanation[] sourceExplanations, String[] queryNames) {
    return story.explain(score, rank, sourceExplanations);
  }

  @Override
  protected final void doToXContent(XContentBuilder builder, Params params) throws IOException {
    story.toXContent(builder, params);
  }

  @Override
  protected final boolean doEquals(RankDoc other) {
    return story.equals(((ExplainedRankDoc<?>) other).story);
  }

  @Override
  protected final int doHashCode() {
    return story.hashCode();
  }
}
