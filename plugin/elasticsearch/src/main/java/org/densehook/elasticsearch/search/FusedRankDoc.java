package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.apache.lucene.search.Explanation;
import org.densehook.elasticsearch.service.Wire;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * A document of a fused ranking that knows how its score came about; it travels to the shard that
 * holds the document, where a request asks for explanations.
 */
public final class FusedRankDoc extends RankDoc {

  /** Its name as a named writeable. */
  public static final String NAME = "densehook_fused_doc";

  private final FusedScore parts;

  FusedRankDoc(int doc, float score, int shardIndex, FusedScore parts) {
    super(doc, score, shardIndex);
    this.parts = parts;
  }

  public FusedRankDoc(StreamInput in) throws IOException {
    super(in);
    parts = Wire.read(in, (body, version) -> FusedScore.read(body));
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(out, parts::writeTo);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }

  @Override
  public TransportVersion getMinimalSupportedVersion() {
    return Wire.EVERY_VERSION;
  }

  @Override
  public Explanation explain(Explanation[] sourceExplanations, String[] queryNames) {
    return parts.explain(score, rank, sourceExplanations);
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    parts.toXContent(builder, params);
  }

  @Override
  protected boolean doEquals(RankDoc other) {
    return parts.equals(((FusedRankDoc) other).parts);
  }

  @Override
  protected int doHashCode() {
    return parts.hashCode();
  }
}
