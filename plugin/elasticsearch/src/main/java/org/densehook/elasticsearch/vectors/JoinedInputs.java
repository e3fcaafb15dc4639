package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.densehook.chunk.LongText.Item;
import org.densehook.elasticsearch.service.EncoderHandle;

/**
 * The text of a document for a vector field, and which parts of it are of which input.
 *
 * @param text as the encoder joins the inputs, or their template has them
 */
public record JoinedInputs(String text, List<Part> parts) {

  /**
   * What an input has of the text in one piece, by code points.
   *
   * @param end behind its last one
   */
  public record Part(String input, int start, int end) {}

  /**
   * Puts a document's inputs together.
   *
   * @throws IllegalArgumentException when an input is an object
   */
  public static JoinedInputs of(EmbeddedField field, EncoderHandle encoder, Map<?, ?> document) {
    List<String> texts = new ArrayList<>();
    List<Part> parts = new ArrayList<>();
    int start = 0;
    FieldText text = new FieldText(field, encoder);
    for (Item item : text.byInput(document)) {
      int end = start + length(item.text());
      if (item.name() != null) {
        parts.add(new Part(item.name().toString(), start, end));
      }
      texts.add(item.text());
      start = end + length(text.between());
    }
    return new JoinedInputs(String.join(text.between(), texts), parts);
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** What an input has of the text between two places, without spaces at the ends; may be empty. */
  public String within(String input, int start, int end) {
    return parts.stream()
        .filter(part -> part.input().equals(input))
        .map(part -> cut(Math.max(start, part.start()), Math.min(end, part.end())))
        .filter(piece -> !piece.isEmpty())
        .collect(Collectors.joining(" "));
  }

  /** All that an input has of the text; may be empty. */
  public String of(String input) {
    return within(input, 0, Integer.MAX_VALUE);
  }

  private String cut(int start, int end) {
    return start >= end
        ? ""
        : text.substring(text.offsetByCodePoints(0, start), text.offsetByCodePoints(0, end))
            .strip();
  }
}
