package org.densehook.encode;

/**
 * A text as the model reads it.
 *
 * @param ids token ids, special tokens included, at most the manifest's max_tokens
 * @param lost tokens beyond it, which the model does not see
 */
public record Tokens(long[] ids, int lost) {

  /** How many tokens the model reads. */
  public int length() {
    return ids.length;
  }
}
