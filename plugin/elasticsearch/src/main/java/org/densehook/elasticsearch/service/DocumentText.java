package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.densehook.bundle.Kind;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;

/**
 * A document's text or image, and who wants its vector.
 *
 * @param prompt what goes before it; null for the encoder's own prompt of documents
 * @param spans the first code point of each part that has a vector, and the one behind its last;
 *     none for one vector of the whole
 * @param kinds what is wanted of it, where the encoder gives several in one run; none for its own
 *     kind
 * @param listener gets float32 [dims], of parts one behind the other, or why this text could not be
 *     encoded; once
 */
public record DocumentText(
    Content content,
    String prompt,
    List<int[]> spans,
    Set<Kind> kinds,
    ActionListener<float[]> listener) {

  /** A text as a whole, behind the encoder's own prompt. */
  public DocumentText(String text, ActionListener<float[]> listener) {
    this(new Content.Text(text), null, List.of(), Set.of(), listener);
  }

  public DocumentText {
    Objects.requireNonNull(content);
    Objects.requireNonNull(listener);
  }
}
