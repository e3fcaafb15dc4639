package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.DoubleValues;
import org.apache.lucene.search.DoubleValuesSource;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.ByteArrayDataInput;
import org.apache.lucene.util.BytesRef;
import org.densehook.multivector.MaxSim;
import org.elasticsearch.index.mapper.IdFieldMapper;
import org.elasticsearch.index.mapper.Uid;

/**
 * The scores of documents by their token vectors.
 *
 * @param field a binary field with doc values
 */
final class TokenScores extends DoubleValuesSource {

  private final String field;
  private final QueryTokens query;

  TokenScores(String field, QueryTokens query) {
    this.field = field;
    this.query = query;
  }

  /** Those of one segment, for one thread. */
  private final class InSegment extends DoubleValues {
    private final LeafReaderContext segment;
    private final BinaryDocValues values;
    private final MaxSim scoring = new MaxSim(query.vectors(), query.dims());
    private int document;

    InSegment(LeafReaderContext segment) throws IOException {
      this.segment = segment;
      values = DocValues.getBinary(segment.reader(), field);
    }

    @Override
    public boolean advanceExact(int wanted) throws IOException {
      document = wanted;
      return values.advanceExact(wanted);
    }

    /** Elasticsearch keeps a count, and of each value its length and its bytes. */
    @Override
    public double doubleValue() throws IOException {
      BytesRef stored = values.binaryValue();
      ByteArrayDataInput in = new ByteArrayDataInput(stored.bytes, stored.offset, stored.length);
      int count = in.readVInt();
      try {
        if (count != 1) {
          throw new IllegalArgumentException("there are " + count + " values, not one");
        }
        int length = in.readVInt();
        return scoring.score(stored.bytes, in.getPosition(), length);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "field ["
                + field
                + "] of document ["
                + id()
                + "] holds no token vectors that can be compared: "
                + e.getMessage()
                + "; write the document again without it");
      }
    }

    private String id() throws IOException {
      BytesRef id =
          segment
              .reader()
              .storedFields()
              .document(document, Set.of(IdFieldMapper.NAME))
              .getBinaryValue(IdFieldMapper.NAME);
      return id == null ? "?" : Uid.decodeId(id.bytes, id.offset, id.length);
    }

    int tokens() {
      return scoring.tokens();
    }
  }

  @Override
  public DoubleValues getValues(LeafReaderContext segment, DoubleValues scores) throws IOException {
    return new InSegment(segment);
  }

  @Override
  public Explanation explain(LeafReaderContext segment, int document, Explanation candidate)
      throws IOException {
    InSegment values = new InSegment(segment);
    if (!values.advanceExact(document)) {
      return Explanation.noMatch("no token vectors in [" + field + "]");
    }
    double score = values.doubleValue();
    return Explanation.match(
        score,
        String.format(
            Locale.ROOT,
            "MaxSim of [%d] query tokens over [%d] token vectors of [%s]",
            query.tokens(),
            values.tokens(),
            field));
  }

  @Override
  public boolean needsScores() {
    return false;
  }

  @Override
  public DoubleValuesSource rewrite(IndexSearcher searcher) {
    return this;
  }

  @Override
  public boolean isCacheable(LeafReaderContext segment) {
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenScores that
        && field.equals(that.field)
        && query.equals(that.query);
  }

  @Override
  public int hashCode() {
    return 31 * field.hashCode() + query.hashCode();
  }

  @Override
  public String toString() {
    return "MaxSim over " + field;
  }
}
