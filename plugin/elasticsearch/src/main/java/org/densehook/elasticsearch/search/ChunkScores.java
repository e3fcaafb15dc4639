package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.join.BitSetProducer;
import org.apache.lucene.util.BitSet;
import org.apache.lucene.util.VectorUtil;
import org.densehook.elasticsearch.compat.SegmentVectors;

/**
 * How like a query each chunk of a document is, in one segment: what Elasticsearch's kNN scores it,
 * by the vectors as they were given, however the index keeps them.
 */
final class ChunkScores {

  /**
   * A chunk and its score.
   *
   * @param document the chunk's own number in the segment
   */
  record Scored(int document, float score) {}

  private final SegmentVectors vectors;
  private final BitSet documents;
  private final VectorSimilarityFunction similarity;
  private final float[] query;

  private ChunkScores(
      SegmentVectors vectors,
      BitSet documents,
      VectorSimilarityFunction similarity,
      float[] query) {
    this.vectors = vectors;
    this.documents = documents;
    this.similarity = similarity;
    this.query = query;
  }

  /**
   * The chunks of a segment.
   *
   * @param documents which are whole documents; each stands behind its chunks
   * @return null where the segment has none
   */
  static ChunkScores of(
      LeafReaderContext segment, String field, float[] query, BitSetProducer documents)
      throws IOException {
    SegmentVectors vectors = SegmentVectors.of(segment.reader(), field);
    BitSet whole = vectors == null ? null : documents.getBitSet(segment);
    if (whole == null) {
      return null;
    }
    VectorSimilarityFunction similarity =
        segment.reader().getFieldInfos().fieldInfo(field).getVectorSimilarityFunction();
    return new ChunkScores(vectors, whole, similarity, asCompared(query, similarity));
  }

  /** Cosines are kept as dot products of unit vectors. */
  static float[] asCompared(float[] query, VectorSimilarityFunction similarity) {
    return similarity == VectorSimilarityFunction.DOT_PRODUCT
        ? VectorUtil.l2normalize(query.clone(), false)
        : query;
  }

  /** The chunks of a document in their order; documents are to be asked for in theirs. */
  List<Scored> of(int document) throws IOException {
    int first = document == 0 ? 0 : documents.prevSetBit(document - 1) + 1;
    List<Scored> scored = new ArrayList<>();
    int chunk = vectors.document() < first ? vectors.advance(first) : vectors.document();
    while (chunk < document) {
      scored.add(new Scored(chunk, similarity.compare(query, vectors.vector())));
      chunk = vectors.advance(chunk + 1);
    }
    return scored;
  }
}
