package org.densehook.encode;

import java.util.List;

/**
 * A text as the model reads it.
 *
 * @param ids token ids, special tokens included, at most the manifest's max_tokens
 * @param lost tokens beyond it, which the model does not see
 * @param unpooled of the first ids, how many the vector is not pooled of
 * @param spans of each part that has a vector its first id, and the one behind its last; none for
 *     one vector of the whole
 * @param unattended of the last ids, how many the others do not attend to
 * @param dropped for each id whether it has no vector, where each has its own; else empty
 */
public record Tokens(
    long[] ids, int lost, int unpooled, List<int[]> spans, int unattended, boolean[] dropped) {

  private static final boolean[] NONE = {};

  public Tokens(long[] ids, int lost) {
    this(ids, lost, List.of());
  }

  Tokens(long[] ids, int lost, List<int[]> spans) {
    this(ids, lost, 0, spans, 0, NONE);
  }

  /** The same text in other ids. */
  Tokens reading(long[] others, int withoutAttention, boolean[] withoutVector) {
    return new Tokens(others, lost, unpooled, spans, withoutAttention, withoutVector);
  }

  /** Whether the other tokens attend to one. */
  boolean isAttended(int place) {
    return place < ids.length - unattended;
  }

  /** Whether a token has a vector, where each has its own. */
  boolean hasVector(int place) {
    return dropped.length == 0 || !dropped[place];
  }

  /** How many vectors it has. */
  int vectors() {
    return Math.max(1, spans.size());
  }

  /** How many tokens the model reads. */
  public int length() {
    return ids.length;
  }

  /**
   * The same, but for the first ones of which its vector is not pooled; it always is of the last.
   */
  Tokens withoutFirst(int count) {
    return new Tokens(ids, lost, Math.min(count, ids.length - 1), spans, unattended, dropped);
  }
}
