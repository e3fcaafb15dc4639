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

  /**
   * Those that a request gives: a list of vectors.
   *
   * @throws IllegalArgumentException for anything else
   */
  static QueryTokens parse(XContentParser parser) throws IOException {
    List<Float> numbers = new ArrayList<>();
    int tokens = 0;
    int dims = 0;
    if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
      throw noVectors();
    }
    while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
      if (parser.currentToken() != XContentParser.Token.START_ARRAY) {
        throw noVectors();
      }
      while (parser.nextToken() != XContentParser.Token.END_ARRAY) {
        if (parser.currentToken() != XContentParser.Token.VALUE_NUMBER
            || !Float.isFinite(parser.floatValue())) {
          throw noVectors();
        }
        numbers.add(parser.floatValue());
      }
      tokens++;
      dims = tokens == 1 ? numbers.size() : dims;
      if (dims == 0 || numbers.size() != tokens * dims) {
        throw noVectors();
      }
    }
    if (tokens == 0) {
      throw noVectors();
    }
    float[] vectors = new float[numbers.size()];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = numbers.get(i);
    }
    return new QueryTokens(vectors, dims);
  }

  private static IllegalArgumentException noVectors() {
    return new IllegalArgumentException(
        "[query_vectors] of [maxsim] must be a list of lists of numbers, all of one length: a"
            + " vector for each token of the query");
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
