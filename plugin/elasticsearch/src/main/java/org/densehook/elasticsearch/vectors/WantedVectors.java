package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.densehook.bundle.Kind;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Window;
import org.densehook.elasticsearch.service.DocumentText;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.collect.Iterators;

/**
 * A text of which a document waits for the values of its fields: of one field, mostly, or of all
 * that an encoder makes of the same text.
 */
final class WantedVectors {

  /**
   * A field's text.
   *
   * @param listener gets what is made of it, or why there is nothing; once
   */
  record Want(DocumentVectors.Text text, ActionListener<Embedding> listener) {

    private FieldToEmbed to() {
      return text.to();
    }
  }

  /** What is encoded at once: some chunks of a text, from one on. */
  private record Piece(String content, List<int[]> spans, int first) {

    int chunks() {
      return Math.max(1, spans.size());
    }
  }

  /** What is made for one field, chunk by chunk. */
  private record Making(Want want, Object[] values) {}

  /** Texts that are one, however many fields are made of it. */
  private record Same(EncoderHandle encoder, PromptedText text, ChunkRule chunk) {

    static Same of(DocumentVectors.Text text) {
      return new Same(text.to().encoder(), text.text(), text.to().field().chunk());
    }
  }

  private final List<Want> wants;
  private final Set<Kind> kinds = EnumSet.noneOf(Kind.class);
  private final DocumentVectors.Text text;

  private WantedVectors(List<Want> wants) {
    this.wants = wants;
    wants.forEach(want -> kinds.add(want.to().kind()));
    text = wants.get(0).text;
  }

  /** The texts of a document, each once. */
  static List<WantedVectors> of(List<Want> wants) {
    Map<Same, List<Want>> found = new LinkedHashMap<>();
    for (Want want : wants) {
      found.computeIfAbsent(Same.of(want.text), same -> new ArrayList<>()).add(want);
    }
    return found.values().stream().map(WantedVectors::new).toList();
  }

  /** Whose it is. */
  EncoderHandle encoder() {
    return text.to().encoder();
  }

  /**
   * The texts to encode: the text itself, or its chunks, into which it is cut now. One that cannot
   * be cut fails, and gives none.
   */
  Iterator<DocumentText> texts() {
    String whole = text.text().text().text();
    String prompt = text.text().prompt();
    if (!text.to().field().isChunked()) {
      Content content = text.to().field().text().modality().content(whole);
      return Iterators.single(new DocumentText(content, prompt, List.of(), kinds, ofWhole()));
    }
    List<Chunk> chunks;
    List<Piece> pieces;
    try {
      ChunkRule rule = text.to().field().chunk();
      chunks = encoder().cut(text.text().text(), prompt, rule).chunks();
      pieces = rule.isLate() ? together(chunks) : alone(chunks);
    } catch (Exception e) {
      wants.forEach(want -> want.listener.onFailure(e));
      return Collections.emptyIterator();
    }
    List<Making> making =
        wants.stream().map(want -> new Making(want, new Object[chunks.size()])).toList();
    ActionListener<Void> all = ActionListener.notifyOnce(ofChunks(making, chunks));
    AtomicInteger missing = new AtomicInteger(pieces.size());
    return pieces.stream()
        .map(
            piece ->
                new DocumentText(
                    new Content.Text(piece.content),
                    prompt,
                    piece.spans,
                    kinds,
                    all.delegateFailureAndWrap(
                        (done, made) -> {
                          making.forEach(each -> take(made, piece, each));
                          if (missing.decrementAndGet() == 0) {
                            done.onResponse(null);
                          }
                        })))
        .iterator();
  }

  private ActionListener<float[]> ofWhole() {
    return ActionListener.wrap(
        row -> wants.forEach(want -> made(want, row)),
        failure -> wants.forEach(want -> want.listener.onFailure(failure)));
  }

  /** Tells one field, whatever comes of the others. */
  private void made(Want want, float[] row) {
    ActionListener.<Embedding>completeWith(
        want.listener, () -> Embedding.of(want.to().made(row, kinds)));
  }

  private static ActionListener<Void> ofChunks(List<Making> making, List<Chunk> chunks) {
    return ActionListener.wrap(
        done ->
            making.forEach(
                each -> each.want.listener.onResponse(Embedding.of(chunks, each.values))),
        failure -> making.forEach(each -> each.want.listener.onFailure(failure)));
  }

  private static List<Piece> alone(List<Chunk> chunks) {
    return IntStream.range(0, chunks.size())
        .mapToObj(i -> new Piece(chunks.get(i).content(), List.of(), i))
        .toList();
  }

  private List<Window> windows(List<Chunk> chunks) throws Exception {
    PromptedText own = text.text();
    return encoder().windows(own.text().text(), own.prompt(), chunks);
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
  private void take(float[] made, Piece piece, Making making) {
    int length = made.length / piece.chunks();
    for (int i = 0; i < piece.chunks(); i++) {
      float[] row = Arrays.copyOfRange(made, i * length, (i + 1) * length);
      making.values[piece.first + i] = making.want.to().made(row, kinds);
    }
  }
}
