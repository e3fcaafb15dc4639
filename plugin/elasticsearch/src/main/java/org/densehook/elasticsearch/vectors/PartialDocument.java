package org.densehook.elasticsearch.vectors;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an update brings, before it is merged into the stored document.
 *
 * @param fields its fields, without orders
 * @param orders the vectors that a pipeline wants made of the merged document
 */
public record PartialDocument(Map<String, Object> fields, List<EmbedOrder> orders) {

  /**
   * Reads it.
   *
   * @param source its fields, which are changed
   * @param vectorFields those of the index
   */
  public static PartialDocument of(
      Map<String, Object> source, Collection<EmbeddedField> vectorFields) {
    List<EmbedOrder> orders = EmbedOrder.takenOutOf(source);
    disown(source, vectorFields);
    return new PartialDocument(source, orders);
  }

  /**
   * Says of each vector that a client brings without a note that it has none: the note of the
   * stored vector would be merged to it.
   *
   * @return whether there was such a vector
   */
  public static boolean disown(
      Map<String, Object> partial, Collection<EmbeddedField> vectorFields) {
    boolean any = false;
    for (EmbeddedField field : vectorFields) {
      if (field.valueIn(partial) != null && !Note.isAbout(partial, field.name())) {
        Map<String, Object> notes = new LinkedHashMap<>();
        if (partial.get(IndexVectors.NOTES) instanceof Map<?, ?> stated) {
          stated.forEach((key, note) -> notes.put(key.toString(), note));
        }
        notes.put(field.name(), null);
        partial.put(IndexVectors.NOTES, notes);
        any = true;
      }
    }
    return any;
  }
}
