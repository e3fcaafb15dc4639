package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.core.TimeValue;

/**
 * What {@link PassageHighlighter} needs of a search, in the place of the query whose words others
 * mark; it is never run.
 */
final class HighlightedVectors extends Query implements Writeable {

  private final String field;
  private final Map<String, float[]> vectors;
  private final int maxSentences;
  private final TimeValue time;

  /**
   * The vectors of one text.
   *
   * @param field the vector field
   * @param vectors by the fingerprints of the encoders that made them
   * @param maxSentences of a hit, where its sentences are encoded
   * @param time how long a shard's hits may wait for that, all together
   */
  HighlightedVectors(String field, Map<String, float[]> vectors, int maxSentences, TimeValue time) {
    this.field = field;
    this.vectors = new TreeMap<>(vectors);
    this.maxSentences = maxSentences;
    this.time = time;
  }

  static HighlightedVectors read(StreamInput in) throws IOException {
    return new HighlightedVectors(
        in.readString(),
        in.readMap(StreamInput::readFloatArray),
        in.readVInt(),
        in.readTimeValue());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(field);
    out.writeMap(vectors, StreamOutput::writeFloatArray);
    out.writeVInt(maxSentences);
    out.writeTimeValue(time);
  }

  String field() {
    return field;
  }

  /** The vector by an encoder; null where it made none. */
  float[] vector(String fingerprint) {
    return vectors.get(fingerprint);
  }

  int maxSentences() {
    return maxSentences;
  }

  TimeValue time() {
    return time;
  }

  @Override
  public void visit(QueryVisitor visitor) {
    visitor.visitLeaf(this);
  }

  @Override
  public String toString(String name) {
    return "passages of " + field;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HighlightedVectors that
        && field.equals(that.field)
        && maxSentences == that.maxSentences
        && time.equals(that.time)
        && vectors.keySet().equals(that.vectors.keySet())
        && vectors.entrySet().stream()
            .allMatch(each -> Arrays.equals(each.getValue(), that.vectors.get(each.getKey())));
  }

  @Override
  public int hashCode() {
    return Objects.hash(field, vectors.keySet(), maxSentences, time);
  }
}
