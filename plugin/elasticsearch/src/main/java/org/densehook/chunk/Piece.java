package org.densehook.chunk;

/**
 * What a chunk is made of.
 *
 * @param start of its first code point
 * @param end behind its last one
 * @param tokens of it by itself
 * @param isLong whether it is a word of more than a chunk holds, or what is left of it, whose
 *     tokens are not counted
 * @param isPart whether it is as much of such a word as a chunk had room for
 */
record Piece(int start, int end, int tokens, boolean isLong, boolean isPart) {

  /** A sentence or a word. */
  static Piece whole(int start, int end, int tokens) {
    return new Piece(start, end, tokens, false, false);
  }

  /** A word of more than a chunk holds. */
  static Piece longOne(int start, int end) {
    return new Piece(start, end, 0, true, false);
  }

  /** Some of such a word. */
  static Piece part(int start, int end, int tokens) {
    return new Piece(start, end, tokens, false, true);
  }
}
