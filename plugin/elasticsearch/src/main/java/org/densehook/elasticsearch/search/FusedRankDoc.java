package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.search.Explanation;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.xcontent.XContentBuilder;

/** A document of a fused ranking; it travels to the shard that holds the document. */
public final class FusedRankDoc extends RankDoc {

  /** Its name as a named writeable. */
  public static final String NAME = "densehook_fused_doc";

  /** How the score came about; null unless the request asks for explanations. */
  private final FusedScore parts;

  FusedRankDoc(int doc, float score, int shardIndex, FusedScore parts) {
    super(doc, score, shardIndex);
    this.parts = parts;
  }

  public FusedRankDoc(StreamInput in) throws IOException {
    super(in);
    parts = in.readOptionalWriteable(FusedScore::read);
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    out.writeOptionalWriteable(parts);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }

  @Override
  public TransportVersion getMinimalSupportedVersion() {
    return TransportVersion.minimumCompatible();
  }

  @Override
  public Explanation explain(Explanation[] sourceExplanations, String[] queryNames) {
    return parts == null
        ? super.explain(sourceExplanations, queryNames)
        : parts.explain(score, rank, sourceExplanations);
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    if (parts != null) {
      parts.toXContent(builder, params);
    }
  }

  @Override
  protected boolean doEquals(RankDoc other) {
    return Objects.equals(parts, ((FusedRankDoc) other).parts);
  }

  @Override
  protected int doHashCode() {
    return Objects.hashCode(parts);
  }
}
