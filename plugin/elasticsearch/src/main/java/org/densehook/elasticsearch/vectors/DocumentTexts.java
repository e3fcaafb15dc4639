package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.densehook.bundle.Blank;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.service.NodeEncoders;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;

/**
 * The texts that documents of one index give to be scored: made of their fields as a vector field's
 * text is, whole or in chunks.
 *
 * @param chunked the field whose chunks are of the same inputs; null where there is none
 * @param by that field's encoder, which puts the text together that its chunks are of
 */
public record DocumentTexts(TextRule rule, EmbeddedField chunked, EncoderHandle by) {

  /**
   * Those of an index.
   *
   * @param fields what the text is made of, in their order
   * @param template by which it is made; null where they are joined
   */
  public static DocumentTexts of(
      IndexVectors vectors, List<String> fields, TextTemplate template, NodeEncoders encoders) {
    TextRule rule = vectors.text(fields, template, null, null);
    EmbeddedField chunked =
        vectors.fields().values().stream()
            .filter(EmbeddedField::isChunked)
            .filter(field -> field.inputs().equals(fields))
            .filter(field -> Objects.equals(field.text().template(), template))
            .findFirst()
            .orElse(null);
    EncoderHandle by = chunked == null ? null : inService(chunked.encoder(), encoders);
    return new DocumentTexts(rule, by == null ? null : chunked, by);
  }

  /** The encoder of this name; null where it is not in service here. */
  private static EncoderHandle inService(String name, NodeEncoders encoders) {
    try {
      return encoders.require(name);
    } catch (ElasticsearchException | EsRejectedExecutionException e) {
      return null;
    }
  }

  /** What must be read of a document's source. */
  public Set<String> paths(boolean inChunks) {
    Set<String> paths = new LinkedHashSet<>(rule.paths());
    if (inChunks && chunked != null) {
      paths.addAll(chunked.text().paths());
      paths.add(IndexVectors.NOTES);
      paths.add(chunked.path() + "." + EmbeddedField.START);
      paths.add(chunked.path() + "." + EmbeddedField.END);
    }
    return paths;
  }

  /**
   * The text of a document, or its first chunks where it has them; empty where it has no text.
   *
   * @param mostChunks 0 for the text as a whole
   * @param encoder the one that scores
   * @throws IllegalArgumentException when a field is an object
   */
  public List<String> of(Map<?, ?> document, int mostChunks, EncoderHandle encoder) {
    String text = rule.text(document, encoder::join);
    if (Blank.is(text)) {
      return List.of();
    }
    List<String> chunks =
        mostChunks > 0 && chunked != null ? chunks(document, mostChunks) : List.of();
    return chunks.isEmpty() ? List.of(text) : chunks;
  }

  /** None where the document does not say that its chunks are of the text that it has now. */
  private List<String> chunks(Map<?, ?> document, int most) {
    Note note = Note.of(document, chunked.name());
    if (note == null || !(FieldPaths.value(document, chunked.path()) instanceof List<?> objects)) {
      return List.of();
    }
    PromptedText text = new FieldText(chunked, by).of(document);
    if (!note.text().equals(chunked.hash(text))) {
      return List.of();
    }
    int[] points = text.text().text().codePoints().toArray();
    List<String> chunks = new ArrayList<>();
    for (Object each : objects.subList(0, Math.min(most, objects.size()))) {
      if (!(each instanceof Map<?, ?> chunk)
          || !(chunk.get(EmbeddedField.START) instanceof Integer start)
          || !(chunk.get(EmbeddedField.END) instanceof Integer end)
          || start < 0
          || end > points.length
          || start >= end) {
        return List.of();
      }
      chunks.add(new String(points, start, end - start).strip());
    }
    return chunks;
  }
}
