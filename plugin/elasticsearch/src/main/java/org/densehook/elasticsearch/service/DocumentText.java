package org.densehook.elasticsearch.service;

import java.util.Objects;
import org.elasticsearch.action.ActionListener;

/**
 * A document's text, and who wants its vector.
 *
 * @param listener gets float32 [dims], or why this text could not be encoded; once
 */
public record DocumentText(String text, ActionListener<float[]> listener) {

  public DocumentText {
    Objects.requireNonNull(text);
    Objects.requireNonNull(listener);
  }
}
