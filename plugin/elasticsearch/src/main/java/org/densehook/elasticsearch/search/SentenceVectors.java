package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.densehook.elasticsearch.compat.SegmentVectors;
import org.densehook.elasticsearch.service.DocumentText;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.fetch.subphase.highlight.FieldHighlightContext;

/**
 * Sentences of a hit, encoded as documents are: the thread that fetches hits waits for them, until
 * the time of all hits of its shard is over or the search is cancelled.
 */
final class SentenceVectors {

  private static final String DEADLINE = "densehook.deadline";
  private static final long LOOKS_EVERY_MS = 20;

  private final NodeEncoders encoders;
  private final EncoderHandle encoder;
  private final LeafReader segment;
  private final long deadline;

  private SentenceVectors(
      NodeEncoders encoders, EncoderHandle encoder, LeafReader segment, long deadline) {
    this.encoders = encoders;
    this.encoder = encoder;
    this.segment = segment;
    this.deadline = deadline;
  }

  /** For a hit; the first one of a shard starts the clock. */
  static SentenceVectors of(
      FieldHighlightContext hit, NodeEncoders encoders, EncoderHandle encoder, TimeValue time) {
    long deadline =
        (Long) hit.cache.computeIfAbsent(DEADLINE, key -> System.nanoTime() + time.nanos());
    return new SentenceVectors(encoders, encoder, hit.hitContext.reader(), deadline);
  }

  /**
   * How like a vector each sentence is, by the similarity of a field. Those that cannot be encoded,
   * or not in time, are not there; nor is any where no document of the segment has the field.
   *
   * @throws org.elasticsearch.tasks.TaskCancelledException when the search was cancelled meanwhile
   */
  List<PassageHighlighter.Piece> scored(List<String> sentences, String field, float[] query)
      throws IOException {
    FieldInfo info = segment.getFieldInfos().fieldInfo(field);
    if (info == null || !info.hasVectorValues() || sentences.isEmpty()) {
      return List.of();
    }
    VectorSimilarityFunction similarity = info.getVectorSimilarityFunction();
    AtomicReferenceArray<float[]> vectors = encoded(sentences, field);
    List<PassageHighlighter.Piece> pieces = new ArrayList<>();
    for (int i = 0; i < sentences.size(); i++) {
      if (vectors.get(i) != null) {
        float score =
            similarity.compare(
                ChunkScores.asCompared(query, similarity),
                ChunkScores.asCompared(vectors.get(i), similarity));
        pieces.add(new PassageHighlighter.Piece(i, sentences.get(i), score));
      }
    }
    return pieces;
  }

  private AtomicReferenceArray<float[]> encoded(List<String> sentences, String field)
      throws IOException {
    AtomicReferenceArray<float[]> vectors = new AtomicReferenceArray<>(sentences.size());
    CountDownLatch open = new CountDownLatch(sentences.size());
    Iterator<DocumentText> texts =
        IntStream.range(0, sentences.size())
            .takeWhile(i -> timeLeft() > 0)
            .mapToObj(
                i ->
                    new DocumentText(
                        sentences.get(i),
                        ActionListener.runAfter(
                            ActionListener.wrap(vector -> vectors.set(i, vector), failure -> {}),
                            open::countDown)))
            .iterator();
    encoders.embedDocuments(encoder, this, texts);
    await(open, field);
    return vectors;
  }

  private void await(CountDownLatch open, String field) throws IOException {
    try {
      while (timeLeft() > 0 && !open.await(LOOKS_EVERY_MS, TimeUnit.MILLISECONDS)) {
        SegmentVectors.of(segment, field); // the reader of a cancelled search says so
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a hit waited for its sentences' vectors", e);
    }
  }

  private long timeLeft() {
    return deadline - System.nanoTime();
  }
}
