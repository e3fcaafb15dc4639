package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
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
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.fetch.subphase.highlight.FieldHighlightContext;

/**
 * Sentences of a hit, encoded as documents are: the thread that fetches hits waits for them, until
 * the time of all hits of its shard is over or the search is cancelled.
 */
final class SentenceVectors {

  private static final String DEADLINE = "densehook.deadline";
  private static final long LOOKS_EVERY_NANOS = 20_000_000L;

  private final NodeEncoders encoders;
  private final EncoderHandle encoder;
  private final LeafReader segment;
  private final long deadline;
  private volatile boolean waiting = true;

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
   * How like a vector each sentence is, by the similarity of a field. Those that cannot be encoded
   * are not there; none is where they did not all come in time, or no document of the segment has
   * the field.
   *
   * @param prompt what goes before each; null for the encoder's own prompt of documents
   * @throws org.elasticsearch.tasks.TaskCancelledException when the search was cancelled meanwhile
   */
  List<PassageHighlighter.Piece> scored(
      List<String> sentences, String prompt, String field, float[] query) throws IOException {
    FieldInfo info = segment.getFieldInfos().fieldInfo(field);
    if (info == null || !info.hasVectorValues() || sentences.isEmpty()) {
      return List.of();
    }
    AtomicReferenceArray<float[]> vectors = new AtomicReferenceArray<>(sentences.size());
    if (!encode(sentences, prompt, vectors, field)) {
      return List.of();
    }
    VectorSimilarityFunction similarity = info.getVectorSimilarityFunction();
    float[] compared = ChunkScores.asCompared(query, similarity);
    List<PassageHighlighter.Piece> pieces = new ArrayList<>();
    for (int i = 0; i < sentences.size(); i++) {
      if (vectors.get(i) != null) {
        float score =
            similarity.compare(compared, ChunkScores.asCompared(vectors.get(i), similarity));
        pieces.add(new PassageHighlighter.Piece(i, sentences.get(i), score));
      }
    }
    return pieces;
  }

  /** Whether all were done in time, well or not. */
  private boolean encode(
      List<String> sentences, String prompt, AtomicReferenceArray<float[]> vectors, String field)
      throws IOException {
    CountDownLatch open = new CountDownLatch(sentences.size());
    Iterator<DocumentText> texts =
        IntStream.range(0, sentences.size())
            .takeWhile(i -> waiting)
            .mapToObj(
                i ->
                    new DocumentText(
                        new Content.Text(sentences.get(i)),
                        prompt,
                        List.of(),
                        Set.of(),
                        ActionListener.runAfter(
                            ActionListener.wrap(vector -> vectors.set(i, vector), failure -> {}),
                            open::countDown)))
            .iterator();
    encoders.embedDocuments(encoder, this, texts);
    try {
      return await(open, field);
    } finally {
      waiting = false; // what is not yet taken stays where it is
    }
  }

  private boolean await(CountDownLatch open, String field) throws IOException {
    try {
      boolean done = false;
      long left = deadline - System.nanoTime();
      while (!done && left > 0) {
        SegmentVectors.of(segment, field); // the reader of a cancelled search says so
        done = open.await(Math.min(left, LOOKS_EVERY_NANOS), TimeUnit.NANOSECONDS);
        left = deadline - System.nanoTime();
      }
      return done;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a hit waited for its sentences' vectors", e);
    }
  }
}
