package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * How the text of a document is made of its fields.
 *
 * @param inputs in the order in which they are joined
 * @param template what the text is made by; null where the inputs are joined
 */
public record TextRule(List<Input> inputs, TextTemplate template) {

  /**
   * A field that gives text.
   *
   * @param name as it is stated
   * @param paths where in its source a document has the values of the field
   */
  public record Input(String name, List<String> paths) {}

  /** Inputs that documents have under their own names, joined. */
  public static TextRule joining(List<String> names) {
    return new TextRule(names.stream().map(name -> new Input(name, List.of(name))).toList(), null);
  }

  /** The names of the inputs, as they are stated. */
  public List<String> names() {
    return inputs.stream().map(Input::name).toList();
  }

  /** What must be read of a document's source. */
  public List<String> paths() {
    return inputs.stream().flatMap(input -> input.paths.stream()).distinct().toList();
  }

  /**
   * The text of a document; empty when no input has any.
   *
   * @param join the encoder's way to put texts together that are not blank
   * @throws IllegalArgumentException when an input is an object
   */
  String text(Map<?, ?> document, Function<List<String>, String> join) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Input input : inputs) {
      List<String> values = new ArrayList<>();
      for (String path : input.paths) {
        values.addAll(InputText.of(path, FieldPaths.value(document, path)));
      }
      texts.put(input.name, join.apply(values));
    }
    boolean isEmpty = texts.values().stream().allMatch(String::isEmpty);
    return template == null || isEmpty
        ? join.apply(List.copyOf(texts.values()))
        : template.filled(texts);
  }
}
