package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.Window;
import org.densehook.elasticsearch.service.DocumentText;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.collect.Iterators;

/**
 * A text whose vectors a document waits for.
 *
 * @param listener gets them, or why there are none; once
 */
record WantedVectors(DocumentVectors.Text text, ActionListener<Embedding> listener) {

  /** What is encoded at once: some chunks of a text, from one on. */
  private record Piece(String content, List<int[]> spans, int first) {

    int chunks() {
      return Math.max(1, spans.size());
    }
  }

  /**
   * The texts to encode: the text itself, or its chunks, into which it is cut now. One that cannot
   * be cut fails, and gives none.
   */
  Iterator<DocumentText> texts() {
    FieldToEmbed to = text.to();
    if (!to.field().isChunked()) {
      return Iterators.single(new DocumentText(text.text().text(), listener.map(Embedding::of)));
    }
    List<Chunk> chunks;
    List<Piece> pieces;
    try {
      chunks = to.encoder().cut(text.text(), to.field().chunk()).chunks();
      pieces = to.field().chunk().isLate() ? together(chunks) : alone(chunks);
    } catch (Exception e) {
      listener.onFailure(e);
      return Collections.emptyIterator();
    }
    ActionListener<Embedding> once = ActionListener.notifyOnce(listener);
    float[][] vectors = new float[chunks.size()][];
    AtomicInteger missing = new AtomicInteger(pieces.size());
    return pieces.stream()
        .map(
            piece ->
                new DocumentText(
                    piece.content,
                    piece.spans,
                    once.delegateFailureAndWrap(
                        (all, made) -> {
                          take(made, piece, vectors);
                          if (missing.decrementAndGet() == 0) {
                            all.onResponse(Embedding.of(chunks, vectors));
                          }
                        })))
        .iterator();
  }

  private static List<Piece> alone(List<Chunk> chunks) {
    return IntStream.range(0, chunks.size())
        .mapToObj(i -> new Piece(chunks.get(i).content(), List.of(), i))
        .toList();
  }

  private List<Piece> together(List<Chunk> chunks) throws Exception {
    List<Piece> pieces = new ArrayList<>();
    int first = 0;
    for (Window window : text.to().encoder().windows(text.text().text(), chunks)) {
      pieces.add(new Piece(window.content(), window.spans(), first));
      first += window.spans().size();
    }
    return pieces;
  }

  /** Puts what was made of a piece, vectors one behind the other, to those of the text. */
  private static void take(float[] made, Piece piece, float[][] vectors) {
    int dims = made.length / piece.chunks();
    for (int i = 0; i < piece.chunks(); i++) {
      vectors[piece.first + i] = Arrays.copyOfRange(made, i * dims, (i + 1) * dims);
    }
  }
}
