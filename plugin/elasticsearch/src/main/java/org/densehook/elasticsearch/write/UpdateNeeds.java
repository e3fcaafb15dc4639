package org.densehook.elasticsearch.write;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;

/**
 * What an update does to the vectors of a document.
 *
 * @param outdated the fields whose vector in the stored document is not that of its text any more
 * @param creates whether it may create a document that needs a vector
 */
record UpdateNeeds(List<EmbeddedField> outdated, boolean creates) {

  /**
   * Judges an update without a script.
   *
   * @param partial what is merged into the stored document
   * @param upsert what is stored when there is no document, or null
   */
  static UpdateNeeds of(Collection<EmbeddedField> fields, Map<?, ?> partial, Map<?, ?> upsert) {
    List<EmbeddedField> outdated =
        fields.stream().filter(field -> outdates(partial, field)).toList();
    boolean creates = upsert != null && fields.stream().anyMatch(field -> lacks(upsert, field));
    return new UpdateNeeds(outdated, creates);
  }

  boolean none() {
    return outdated.isEmpty() && !creates;
  }

  private static boolean outdates(Map<?, ?> partial, EmbeddedField field) {
    return !FieldPaths.hasValue(partial, field.name())
        && (FieldPaths.has(partial, field.name())
            || field.inputs().stream().anyMatch(input -> FieldPaths.touches(partial, input)));
  }

  private static boolean lacks(Map<?, ?> document, EmbeddedField field) {
    return !FieldPaths.hasValue(document, field.name())
        && field.inputs().stream().anyMatch(input -> FieldPaths.value(document, input) != null);
  }
}
