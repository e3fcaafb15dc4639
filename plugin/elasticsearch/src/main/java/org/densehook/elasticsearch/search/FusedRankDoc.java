package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.elasticsearch.common.io.stream.StreamInput;

/** A document of a fused ranking. */
public final class FusedRankDoc extends ExplainedRankDoc<FusedScore> {

  /** Its name as a named writeable. */
  public static final String NAME = "densehook_fused_doc";

  FusedRankDoc(int doc, float score, int shardIndex, FusedScore story) {
    super(doc, score, shardIndex, story);
  }

  public FusedRankDoc(StreamInput in) throws IOException {
    super(in, FusedScore::read);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }
}
