package org.densehook.encode;

/**
 * A text as the model reads it.
 *
 * @param ids token ids, special tokens included, at most the manifest's max_tokens
 * @param lost tokens beyond it, which the model does not see
 * @param unpooled of the first ids, how many the vector is not pooled of
 */
public record Tokens(long[] ids, int lost, int unpooled) {

  public Tokens(long[] ids, int lost) {
    this(ids, lost, 0);
  }

  /** How many tokens the model reads. */
  public int length() {
    return ids.length;
  }

  /**
   * The same, but for the first ones of which its vector is not pooled; it always is of the last.
   */
  Tokens withoutFirst(int count) {
    return new Tokens(ids, lost, Math.min(count, ids.length - 1));
  }
}
