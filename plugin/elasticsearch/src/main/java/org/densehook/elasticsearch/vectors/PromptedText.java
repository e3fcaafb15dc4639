package org.densehook.elasticsearch.vectors;

/**
 * A document's text, as the model reads it.
 *
 * @param text empty when there is none
 * @param prompt what goes before it; null for the encoder's own prompt of documents
 */
record PromptedText(String text, String prompt) {

  boolean isEmpty() {
    return text.isEmpty();
  }

  /** What tells it from every other text, but for the encoder's own prompt. */
  String identity() {
    return prompt == null || text.isEmpty() ? text : prompt + "\n" + text;
  }
}
