package org.densehook.elasticsearch.search;

import java.io.IOException;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.vectors.RescoreVectorBuilder;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * How neighbours are sought.
 *
 * @param k neighbours of each shard, or null for the hits that are wanted
 * @param numCandidates candidates of each shard, or null for Elasticsearch's default
 * @param autoFilter whether the clauses beside it in a bool filter before the search
 * @param similarity the least that a neighbour must have, or null
 * @param rescore how many more are scored by their whole vectors, or null for the field's own
 * @param passages how documents of chunks are scored, or null for each by its best chunk
 */
record DenseOptions(
    Integer k,
    Integer numCandidates,
    boolean autoFilter,
    Float similarity,
    RescoreVectorBuilder rescore,
    PassageScoring passages) {

  static final ParseField K = new ParseField("k");
  static final ParseField NUM_CANDIDATES = new ParseField("num_candidates");
  static final ParseField AUTO_FILTER = new ParseField("auto_filter");
  static final ParseField SIMILARITY = new ParseField("similarity");
  static final ParseField RESCORE = new ParseField("rescore_vector");

  DenseOptions {
    requireAtLeastOne(K, k);
    requireAtLeastOne(NUM_CANDIDATES, numCandidates);
    if (k != null && numCandidates != null && numCandidates < k) {
      throw refused(
          NUM_CANDIDATES,
          "is [" + numCandidates + "]; it must be at least [k], which is [" + k + "]");
    }
  }

  private static void requireAtLeastOne(ParseField name, Integer value) {
    if (value != null && value < 1) {
      throw refused(name, "is [" + value + "]; at least 1");
    }
  }

  private static IllegalArgumentException refused(ParseField name, String why) {
    return new IllegalArgumentException(
        "[" + name.getPreferredName() + "] of [" + DenseQueryBuilder.PLAIN_NAME + "] " + why);
  }

  /** Whether documents are scored by more than their best chunk. */
  boolean scoresPassages() {
    return passages != null && !passages.isOfBestChunk();
  }

  /** All but {@link #passages}, which came later, so that it is at the end of what is sent. */
  static DenseOptions read(StreamInput in) throws IOException {
    return new DenseOptions(
        in.readOptionalVInt(),
        in.readOptionalVInt(),
        in.readBoolean(),
        in.readOptionalFloat(),
        in.readOptionalWriteable(RescoreVectorBuilder::new),
        null);
  }

  DenseOptions with(PassageScoring scoring) {
    return new DenseOptions(k, numCandidates, autoFilter, similarity, rescore, scoring);
  }

  /** What {@link #read} reads. */
  void write(StreamOutput out) throws IOException {
    out.writeOptionalVInt(k);
    out.writeOptionalVInt(numCandidates);
    out.writeBoolean(autoFilter);
    out.writeOptionalFloat(similarity);
    out.writeOptionalWriteable(rescore);
  }

  void toXContent(XContentBuilder builder) throws IOException {
    if (k != null) {
      builder.field(K.getPreferredName(), k);
    }
    if (numCandidates != null) {
      builder.field(NUM_CANDIDATES.getPreferredName(), numCandidates);
    }
    if (!autoFilter) {
      builder.field(AUTO_FILTER.getPreferredName(), false);
    }
    if (similarity != null) {
      builder.field(SIMILARITY.getPreferredName(), similarity);
    }
    if (rescore != null) {
      builder.field(RESCORE.getPreferredName(), rescore);
    }
    if (passages != null) {
      builder.field(PassageScoring.PASSAGES.getPreferredName(), passages);
    }
  }
}
