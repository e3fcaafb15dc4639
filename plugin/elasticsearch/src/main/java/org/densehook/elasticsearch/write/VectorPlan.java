package org.densehook.elasticsearch.write;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.InputText;

/**
 * A vector that a whole document needs.
 *
 * @param inputs the texts of each input; empty when there is none and the vector is to go
 */
record VectorPlan(EmbeddedField field, List<List<String>> inputs) {

  /**
   * The vectors a document needs; one it has already is a client's or a pipeline's, and stays.
   *
   * @param document at least the part that holds the inputs and the vectors
   * @param outdated whether a field's vector in the document is that of an earlier text
   * @throws IllegalArgumentException when an input is an object
   */
  static List<VectorPlan> of(
      Collection<EmbeddedField> fields, Map<?, ?> document, Predicate<EmbeddedField> outdated) {
    List<VectorPlan> plans = new ArrayList<>();
    for (EmbeddedField field : fields) {
      if (FieldPaths.hasValue(document, field.name()) && !outdated.test(field)) {
        continue;
      }
      List<List<String>> inputs = new ArrayList<>();
      for (String input : field.inputs()) {
        inputs.add(InputText.of(input, FieldPaths.value(document, input)));
      }
      if (inputs.stream().anyMatch(texts -> texts.stream().anyMatch(text -> !text.isEmpty()))) {
        plans.add(new VectorPlan(field, inputs));
      } else if (FieldPaths.has(document, field.name())) {
        plans.add(new VectorPlan(field, List.of()));
      }
    }
    return plans;
  }

  boolean removes() {
    return inputs.isEmpty();
  }

  String text(EncoderHandle encoder) {
    return encoder.join(inputs.stream().map(encoder::join).toList());
  }
}
