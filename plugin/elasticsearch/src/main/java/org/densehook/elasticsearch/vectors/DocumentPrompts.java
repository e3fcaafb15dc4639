package org.densehook.elasticsearch.vectors;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The prompts of documents, of which a field of theirs chooses one.
 *
 * @param field the one that chooses
 * @param prompts by its values
 * @param otherwise the prompt for other values; null for the encoder's own
 */
public record DocumentPrompts(TextRule.Input field, Map<String, String> prompts, String otherwise) {

  private static final String FIELD = "field";
  private static final String PROMPTS = "prompts";
  private static final String DEFAULT = "default";
  private static final List<String> KEYS = List.of(FIELD, PROMPTS, DEFAULT);

  /**
   * Reads what {@code _meta} or a processor states.
   *
   * @throws IllegalArgumentException for what chooses no prompt
   */
  public static DocumentPrompts parse(Object stated) {
    if (!(stated instanceof Map<?, ?> object)) {
      throw new IllegalArgumentException(
          "prompt is [" + stated + "]; it is an object with [field] and [prompts]");
    }
    for (Object key : object.keySet()) {
      if (!KEYS.contains(key.toString())) {
        throw new IllegalArgumentException(
            "prompt has an unknown key [" + key + "]; known are " + new TreeSet<>(KEYS));
      }
    }
    if (!(object.get(FIELD) instanceof String field) || field.isBlank()) {
      throw refused(FIELD, object, "it is the field that chooses the prompt");
    }
    if (!(object.get(PROMPTS) instanceof Map<?, ?> prompts)
        || prompts.isEmpty()
        || !prompts.values().stream().allMatch(String.class::isInstance)) {
      throw refused(PROMPTS, object, "it is an object with a prompt for each value");
    }
    if (object.containsKey(DEFAULT) && !(object.get(DEFAULT) instanceof String)) {
      throw refused(DEFAULT, object, "it is a prompt");
    }
    Map<String, String> byValue = new LinkedHashMap<>();
    prompts.forEach((value, prompt) -> byValue.put(value.toString(), (String) prompt));
    return new DocumentPrompts(
        new TextRule.Input(field, List.of(field)), byValue, (String) object.get(DEFAULT));
  }

  private static IllegalArgumentException refused(String key, Map<?, ?> object, String why) {
    return new IllegalArgumentException("prompt." + key + " is [" + object.get(key) + "]; " + why);
  }

  /** The same, chosen by a field whose values documents have at other paths. */
  DocumentPrompts at(List<String> paths) {
    return new DocumentPrompts(new TextRule.Input(field.name(), paths), prompts, otherwise);
  }

  /** As it is stated. */
  Map<String, Object> asMap() {
    Map<String, Object> stated = new LinkedHashMap<>();
    stated.put(FIELD, field.name());
    stated.put(PROMPTS, prompts);
    if (otherwise != null) {
      stated.put(DEFAULT, otherwise);
    }
    return stated;
  }

  /**
   * The prompt of a document; null for the encoder's own.
   *
   * @throws IllegalArgumentException when an object should choose it
   */
  String of(Map<?, ?> document) {
    List<String> values = field.texts(document);
    String value = values.isEmpty() ? "" : values.get(0);
    return prompts.getOrDefault(value, otherwise);
  }
}
