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
 * A document of a reranking that knows how its score came about; it travels to the shard that holds
 * the document, where a request asks for explanations.
 */
public final class RerankedRankDoc extends RankDoc {

  /** Its name as a named writeable. */
  public static final String NAME = "densehook_reranked_doc";

  private final RerankedScore reranked;

  RerankedRankDoc(int doc, float score, int shardIndex, RerankedScore reranked) {
    super(doc, score, shardIndex);
    this.reranked = reranked;
  }

  public RerankedRankDoc(StreamInput in) throws IOException {
    super(in);
    reranked = Wire.read(in, (body, version) -> RerankedScore.read(body));
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    Wire.write(out, reranked::writeTo);
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
    return reranked.explain(score, rank, sourceExplanations);
  }

  @Override
  protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
    reranked.toXContent(builder, params);
  }

  @Override
  protected boolean doEquals(RankDoc other) {
    return reranked.equals(((RerankedRankDoc) other).reranked);
  }

  @Override
  protected int doHashCode() {
    return reranked.hashCode();
  }
}
