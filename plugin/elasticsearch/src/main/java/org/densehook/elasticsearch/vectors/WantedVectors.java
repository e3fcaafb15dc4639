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
import org.densehook.encode.Content;
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
    String whole = text.text().text().text();
    String prompt = text.text().prompt();
    if (!to.field().isChunked()) {
      return Iterators.single(
          new DocumentText(
              to.field().text().modality().content(whole),
              prompt,
              List.of(),
              listener.map(row -> Embedding.of(to.made(row)))));
    }
    List<Chunk> chunks;
    List<Piece> pieces;
    try {
      chunks = to.encoder().cut(text.text().text(), prompt, to.field().chunk()).chunks();
      pieces = to.field().chunk().isLate() ? together(chunks) : alone(chunks);
    } catch (Exception e) {
      listener.onFailure(e);
      return Collections.emptyIterator();
    }
    ActionListener<Embedding> once = ActionListener.notifyOnce(listener);
    Object[] values = new Object[chunks.size()];
    AtomicInteger missing = new AtomicInteger(pieces.size());
    return pieces.stream()
        .map(
            piece ->
                new DocumentText(
                    new Content.Text(piece.content),
                    prompt,
                    piece.spans,
                    once.delegateFailureAndWrap(
                        (all, made) -> {
                          take(made, piece, values);
                          if (missing.decrementAndGet() == 0) {
                            all.onResponse(Embedding.of(chunks, values));
                          }
                        })))
        .iterator();
  }

  private static List<Piece> alone(List<Chunk> chunks) {
    return IntStream.range(0, chunks.size())
        .mapToObj(i -> new Piece(chunks.get(i).content(), List.of(), i))
        .toList();
  }

  private List<Window> windows(List<Chunk> chunks) throws Exception {
    PromptedText own = text.text();
    return text.to().encoder().windows(own.text().text(), own.prompt(), chunks);
  }

  private List<Piece> together(List<Chunk> chunks) throws Exception {
    List<Piece> pieces = new ArrayList<>();
    int first = 0;
    for (Window window : windows(chunks)) {
      pieces.add(new Piece(window.content(), window.spans(), first));
      first += window.spans().size();
    }
    return pieces;
  }

  /** Puts what was made of a piece, rows of one length one behind the other, to the text's. */
  private void take(float[] made, Piece piece, Object[] values) {
    int length = made.length / piece.chunks();
    for (int i = 0; i < piece.chunks(); i++) {
      float[] row = Arrays.copyOfRange(made, i * length, (i + 1) * length);
      values[piece.first + i] = text.to().made(row);
    }
  }
}
