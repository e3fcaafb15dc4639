package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.elasticsearch.common.io.stream.StreamInput;

/** A document of a reranked ranking. */
public final class RerankedRankDoc extends ExplainedRankDoc<RerankedScore> {

  /** Its name as a named writeable. */
  public static final String NAME = "densehook_reranked_doc";

  RerankedRankDoc(int doc, float score, int shardIndex, RerankedScore story) {
    super(doc, score, shardIndex, story);
  }

  public RerankedRankDoc(StreamInput in) throws IOException {
    super(in, RerankedScore::read);
  }

  @Override
  public String getWriteableName() {
    return NAME;
  }
}
