package org.densehook.elasticsearch.vectors;

import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.LongText;

/**
 * A document's text, as the model reads it.
 *
 * @param text empty when there is none
 * @param prompt what goes before it; null for the encoder's own prompt of documents
 * @param modality what it is: the same characters may be a text, or an image
 */
record PromptedText(LongText text, String prompt, Modality modality) {

  boolean isEmpty() {
    return text.isEmpty();
  }

  /** What tells it from every other text, but for the encoder's own prompt. */
  String identity(ChunkRule rule) {
    String own = rule == null ? text.text() : rule.hashed(text);
    if (text.isEmpty()) {
      return own;
    }
    String prompted = prompt == null ? own : prompt + "\n" + own;
    return modality == Modality.TEXT ? prompted : modality + "\n" + prompted;
  }
}
