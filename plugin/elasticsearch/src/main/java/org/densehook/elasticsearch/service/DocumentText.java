package org.densehook.elasticsearch.service;

import java.util.Objects;
import org.elasticsearch.action.ActionListener;

/**
 * A document's text, and who wants its vector.
 *
 * @param prompt what goes before it; null for the encoder's own prompt of documents
 * @param listener gets float32 [dims], or why this text could not be encoded; once
 */
public record DocumentText(String text, String prompt, ActionListener<float[]> listener) {

  public DocumentText {
    Objects.requireNonNull(text);
    Objects.requireNonNull(listener);
  }
}
