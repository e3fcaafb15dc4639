package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * The token vectors of a query.
 *
 * @param vectors float32 [tokens, dims], one behind the other
 */
record QueryTokens(float[] vectors, int dims) implements Writeable, ToXContentFragment {

  /** Those that a request gives; null for none. */
  static QueryTokens of(List<float[]> given) {
    if (given == null) {
      return null;
    }
    int dims = given.isEmpty() ? 0 : given.get(0).length;
    if (dims == 0 || given.stream().anyMatch(vector -> vector.length != dims)) {
      throw new IllegalArgumentException(
          "[query_vectors] of [maxsim] must be lists of numbers, all of one length: a vector for"
              + " each token of the query");
    }
    float[] vectors = new float[given.size() * dims];
    for (int token = 0; token < given.size(); token++) {
      System.arraycopy(given.get(token), 0, vectors, token * dims, dims);
    }
    return new QueryTokens(vectors, dims);
  }

  /** One of them, as a request has it. */
  static float[] vector(XContentParser parser) throws IOException {
    List<Float> numbers = new ArrayList<>();
    while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
      float number = parser.floatValue();
      if (!Float.isFinite(number)) {
        throw new IllegalArgumentException("[query_vectors] of [maxsim] has a number too large");
      }
      numbers.add(number);
    }
    float[] vector = new float[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = numbers.get(i);
    }
    return vector;
  }

  static QueryTokens read(StreamInput in) throws IOException {
    return new QueryTokens(in.readFloatArray(), in.readVInt());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeFloatArray(vectors);
    out.writeVInt(dims);
  }

  int tokens() {
    return vectors.length / dims;
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startArray();
    for (int from = 0; from < vectors.length; from += dims) {
      builder.startArray();
      for (int at = from; at < from + dims; at++) {
        builder.value(vectors[at]);
      }
      builder.endArray();
    }
    return builder.endArray();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof QueryTokens that
        && dims == that.dims
        && Arrays.equals(vectors, that.vectors);
  }

  @Override
  public int hashCode() {
    return 31 * dims + Arrays.hashCode(vectors);
  }
}
