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
 * @param secondFrom the first id of the text of a pair; of a text by itself none is
 * @param secondType the type of the tokens from there on; others are of type 0
 * @param isQuery whether it is that of a query, which some encoders weigh without their graph
 */
public record Tokens(
    long[] ids,
    int lost,
    int unpooled,
    List<int[]> spans,
    int secondFrom,
    int secondType,
    boolean isQuery) {

  public Tokens(long[] ids, int lost) {
    this(ids, lost, 0, List.of());
  }

  public Tokens(long[] ids, int lost, int unpooled, List<int[]> spans) {
    this(ids, lost, unpooled, spans, ids.length, 0, false);
  }

  /** The type of a token. */
  int type(int place) {
    return place < secondFrom ? 0 : secondType;
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
    int first = Math.min(count, ids.length - 1);
    return new Tokens(ids, lost, first, spans, secondFrom, secondType, isQuery);
  }

  /** The same, of a query. */
  Tokens ofQuery() {
    return new Tokens(ids, lost, unpooled, spans, secondFrom, secondType, true);
  }
}
