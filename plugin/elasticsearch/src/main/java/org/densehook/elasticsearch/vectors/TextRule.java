package org.densehook.elasticsearch.vectors;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * How the text of a document is made of its fields.
 *
 * @param inputs in the order in which they are joined
 * @param template what the text is made by; null where the inputs are joined
 * @param prompts those of which each document has one before it; null where all have the encoder's
 * @param prefix fields whose text is put before each chunk
 * @param modality what the inputs hold
 */
public record TextRule(
    List<Input> inputs,
    TextTemplate template,
    DocumentPrompts prompts,
    List<Input> prefix,
    Modality modality) {

  /**
   * A field that gives text.
   *
   * @param name as it is stated
   * @param paths where in its source a document has the values of the field
   */
  public record Input(String name, List<String> paths) {

    /**
     * The texts of its values in a document.
     *
     * @throws IllegalArgumentException when one is an object
     */
    List<String> texts(Map<?, ?> document) {
      return texts(document, Modality.TEXT);
    }

    /** The same of what is no text, of which there is one. */
    List<String> texts(Map<?, ?> document, Modality modality) {
      List<String> texts =
          paths.stream()
              .flatMap(path -> modality.texts(path, FieldPaths.values(document, path)).stream())
              .toList();
      if (modality == Modality.NUMBERS && texts.size() > 1) {
        throw new IllegalArgumentException(
            "input field [" + name + "] has numbers of several of " + paths + "; give one list");
      }
      return texts;
    }
  }

  /** Inputs that documents have under their own names, joined. */
  public static TextRule joining(List<String> names) {
    return new TextRule(
        names.stream().map(name -> new Input(name, List.of(name))).toList(),
        null,
        null,
        List.of(),
        Modality.TEXT);
  }

  /** The names of the inputs, as they are stated. */
  public List<String> names() {
    return inputs.stream().map(Input::name).toList();
  }

  /** What must be read of a document's source. */
  public List<String> paths() {
    Stream<Input> chosenBy = prompts == null ? Stream.empty() : Stream.of(prompts.field());
    return Stream.of(inputs.stream(), prefix.stream(), chosenBy)
        .flatMap(each -> each)
        .flatMap(input -> input.paths.stream())
        .distinct()
        .toList();
  }

  /**
   * The text of a document; empty when no input has any.
   *
   * @param join the encoder's way to put texts together that are not blank
   * @throws IllegalArgumentException when an input is an object
   */
  public String text(Map<?, ?> document, Function<List<String>, String> join) {
    Map<String, String> texts = texts(document, join);
    return template == null || isEmpty(texts)
        ? join.apply(List.copyOf(texts.values()))
        : template.filled(texts);
  }

  /** Those of the inputs, by their names; else as {@link #text}. */
  Map<String, String> texts(Map<?, ?> document, Function<List<String>, String> join) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Input input : inputs) {
      texts.put(input.name, join.apply(input.texts(document, modality)));
    }
    return texts;
  }

  static boolean isEmpty(Map<String, String> texts) {
    return texts.values().stream().allMatch(String::isEmpty);
  }

  /**
   * The prompt before it; null for the encoder's own.
   *
   * @throws IllegalArgumentException when an object should choose it
   */
  String prompt(Map<?, ?> document) {
    return prompts == null ? null : prompts.of(document);
  }
}
