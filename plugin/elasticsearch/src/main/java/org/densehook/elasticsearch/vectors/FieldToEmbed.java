package org.densehook.elasticsearch.vectors;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.service.EncoderHandle;

/**
 * A vector field of the documents that are being written, with the encoder that makes its vectors.
 *
 * @param encoder in service on this node, of the field's fingerprint
 * @param fills whether documents without a vector get one; if not, those are looked after that had
 *     one
 * @param keepsNotes whether documents of the index say what the vector was made of
 * @param dropped the paths of inputs that the stored source of the index does not keep
 */
public record FieldToEmbed(
    EmbeddedField field,
    EncoderHandle encoder,
    boolean fills,
    boolean keepsNotes,
    List<String> dropped) {

  /** The same field, whose documents all get a vector. */
  FieldToEmbed filling() {
    return new FieldToEmbed(field, encoder, true, keepsNotes, dropped);
  }

  /** Which of its encoder's kinds it holds. */
  public Kind kind() {
    return encoder.giving(field.format().kind());
  }

  /**
   * What its encoder gave for a text, as a value.
   *
   * @param given the kinds that were wanted of the text
   * @param row of all of these
   */
  Object made(float[] row, Set<Kind> given) {
    return field.format().made(encoder.row(kind(), given, row), encoder);
  }

  /**
   * The text of a document for this field, as the model reads it; empty when there is none.
   *
   * @throws IllegalArgumentException when an input is an object
   */
  PromptedText text(Map<?, ?> document) {
    return new FieldText(field, encoder).of(document);
  }

  /** Whether an input is missing that a document read from its stored source cannot have. */
  boolean hasUnreadableInput(Map<?, ?> document) {
    return dropped.stream().anyMatch(path -> FieldPaths.values(document, path) == null);
  }

  /** Whether the document says that its vector is the encoder's, of the text that it has. */
  public boolean isCurrent(Map<?, ?> document) {
    Note note = Note.of(document, field.name());
    return note != null
        && !note.isOfAClient()
        && note.fits(field.fingerprint(), field.hash(text(document)));
  }
}
