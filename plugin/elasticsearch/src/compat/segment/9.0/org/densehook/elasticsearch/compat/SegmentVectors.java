package org.densehook.elasticsearch.compat;

import java.io.IOException;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues.DocIndexIterator;
import org.apache.lucene.index.LeafReader;

/** The vectors of a field in a segment, as they were given, document by document. */
public final class SegmentVectors {

  private final FloatVectorValues values;
  private final DocIndexIterator documents;

  private SegmentVectors(FloatVectorValues values) {
    this.values = values;
    documents = values.iterator();
  }

  /** Before the first of them; null for a segment without any. */
  public static SegmentVectors of(LeafReader reader, String field) throws IOException {
    FloatVectorValues values = reader.getFloatVectorValues(field);
    return values == null ? null : new SegmentVectors(values);
  }

  /** The document where it stands; -1 before the first. */
  public int document() {
    return documents.docID();
  }

  /** Goes on to the first document from this one on that has a vector, and gives it. */
  public int advance(int document) throws IOException {
    return documents.advance(document);
  }

  /** The vector there, until it goes on. */
  public float[] vector() throws IOException {
    return values.vectorValue(documents.index());
  }
}
