package org.densehook.elasticsearch.vectors;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.densehook.chunk.Chunk;
import org.densehook.elasticsearch.service.DocumentText;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.collect.Iterators;

/**
 * A text whose vectors a document waits for.
 *
 * @param listener gets them, or why there are none; once
 */
record WantedVectors(DocumentVectors.Text text, ActionListener<Embedding> listener) {

  /**
   * The texts to encode: the text itself, or its chunks, into which it is cut now. One that cannot
   * be cut fails, and gives none.
   */
  Iterator<DocumentText> texts() {
    FieldToEmbed to = text.to();
    PromptedText own = text.text();
    if (!to.field().isChunked()) {
      return Iterators.single(
          new DocumentText(own.text(), own.prompt(), listener.map(Embedding::of)));
    }
    List<Chunk> chunks;
    try {
      chunks = to.encoder().cut(own.text(), own.prompt(), to.field().chunk());
    } catch (Exception e) {
      listener.onFailure(e);
      return Collections.emptyIterator();
    }
    ActionListener<Embedding> once = ActionListener.notifyOnce(listener);
    float[][] vectors = new float[chunks.size()][];
    AtomicInteger missing = new AtomicInteger(vectors.length);
    return IntStream.range(0, vectors.length)
        .mapToObj(
            i ->
                new DocumentText(
                    chunks.get(i).text(),
                    own.prompt(),
                    once.delegateFailureAndWrap(
                        (all, vector) -> {
                          vectors[i] = vector;
                          if (missing.decrementAndGet() == 0) {
                            all.onResponse(Embedding.of(chunks, vectors));
                          }
                        })))
        .iterator();
  }
}
