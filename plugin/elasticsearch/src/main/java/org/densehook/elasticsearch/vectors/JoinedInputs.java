package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.densehook.chunk.LongText.Item;
import org.densehook.elasticsearch.service.EncoderHandle;

/** The text of a document for a vector field, and which parts of it are of which input. */
public final class JoinedInputs {

  private static final int STEP = 256;

  private final String text;
  private final List<Part> parts;

  /** Where every so many code points begin: from there the way to any place is short. */
  private final int[] marks;

  private JoinedInputs(String text, List<Part> parts) {
    this.text = text;
    this.parts = parts;
    marks = new int[length(text) / STEP + 1];
    for (int i = 1; i < marks.length; i++) {
      marks[i] = text.offsetByCodePoints(marks[i - 1], STEP);
    }
  }

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

  /** As the encoder joins the inputs, or their template has them. */
  String text() {
    return text;
  }

  /** What the inputs have of it, in its order. */
  List<Part> parts() {
    return parts;
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
    return start >= end ? "" : text.substring(place(start), place(end)).strip();
  }

  /** Where a code point begins. */
  private int place(int point) {
    return text.offsetByCodePoints(marks[point / STEP], point % STEP);
  }
}
