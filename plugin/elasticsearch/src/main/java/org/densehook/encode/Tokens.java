package org.densehook.encode;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.densehook.bundle.Kind;
import org.densehook.image.ImageFile;

/**
 * A text, an image or a list of numbers, as the model reads it.
 *
 * @param ids token ids, special tokens included, or the bits of numbers; at most the manifest's
 *     max_tokens
 * @param lost tokens beyond it, which the model does not see
 * @param unpooled of the first ids, how many the vector is not pooled of
 * @param spans of each part that has a vector its first id, and the one behind its last; none for
 *     one vector of the whole
 * @param told what the graph is told of them beside
 * @param image that of an image, which has no ids; null for a text
 */
public record Tokens(
    long[] ids, int lost, int unpooled, List<int[]> spans, Told told, ReadImage image) {

  /**
   * An image that is to be encoded.
   *
   * @param tokens how many tokens it is to the model
   */
  record ReadImage(ImageFile file, int tokens) {}

  /**
   * What a kind's graph is told of tokens, beside their ids.
   *
   * @param secondFrom the first id of the text of a pair; of a text by itself none is
   * @param secondType the type of the tokens from there on; others are of type 0
   * @param isQuery whether it is that of a query, which some encoders weigh without their graph
   * @param unattended of the last ids, how many the others do not attend to
   * @param dropped for each id whether it has no vector, where each has its own; else empty
   * @param kinds what is wanted of it, where the graph gives several; none for the encoder's own
   */
  record Told(
      int secondFrom,
      int secondType,
      boolean isQuery,
      int unattended,
      boolean[] dropped,
      Set<Kind> kinds) {

    static final Told PLAIN = new Told(Integer.MAX_VALUE, 0, false, 0, new boolean[0], Set.of());

    /** Of a pair, whose text begins there. */
    static Told ofPair(int secondFrom, int secondType) {
      return new Told(secondFrom, secondType, false, 0, PLAIN.dropped, Set.of());
    }

    private Told ofQuery() {
      return new Told(secondFrom, secondType, true, unattended, dropped, kinds);
    }

    private Told giving(Set<Kind> wanted) {
      return new Told(secondFrom, secondType, isQuery, unattended, dropped, wanted);
    }
  }

  public Tokens(long[] ids, int lost) {
    this(ids, lost, List.of());
  }

  Tokens(long[] ids, int lost, List<int[]> spans) {
    this(ids, lost, 0, spans, Told.PLAIN, null);
  }

  /** An image, which is so many tokens to the model. */
  static Tokens ofImage(ImageFile file, int tokens) {
    return new Tokens(new long[0], 0, 0, List.of(), Told.PLAIN, new ReadImage(file, tokens));
  }

  /** Those of a pair. */
  static Tokens ofPair(long[] ids, int lost, Told told) {
    return new Tokens(ids, lost, 0, List.of(), told, null);
  }

  /** The same text in other ids. */
  Tokens reading(long[] others, int withoutAttention, boolean[] withoutVector) {
    Told other =
        new Told(told.secondFrom, 0, told.isQuery, withoutAttention, withoutVector, told.kinds);
    return new Tokens(others, lost, unpooled, spans, other, image);
  }

  /**
   * The same text, of which some kinds are wanted; of several its row is those of all, one behind
   * the other.
   */
  Tokens giving(Set<Kind> kinds) {
    return new Tokens(ids, lost, unpooled, spans, told.giving(inOrder(kinds)), image);
  }

  private static Set<Kind> inOrder(Set<Kind> kinds) {
    return kinds.isEmpty() ? Set.of() : EnumSet.copyOf(kinds);
  }

  /** What is wanted of it; none for what the encoder's own kind gives. */
  Set<Kind> kinds() {
    return told.kinds;
  }

  /** The type of a token. */
  int type(int place) {
    return place < told.secondFrom ? 0 : told.secondType;
  }

  /** Whether it is that of a query. */
  boolean isQuery() {
    return told.isQuery;
  }

  /** Whether the other tokens attend to one. */
  boolean isAttended(int place) {
    return place < ids.length - told.unattended;
  }

  /** Whether a token has a vector, where each has its own. */
  boolean hasVector(int place) {
    return told.dropped.length == 0 || !told.dropped[place];
  }

  /** How many vectors it has. */
  int vectors() {
    return Math.max(1, spans.size());
  }

  /** How many tokens the model reads. */
  public int length() {
    return image == null ? ids.length : image.tokens;
  }

  /**
   * The same, but for the first ones of which its vector is not pooled; it always is of the last.
   */
  Tokens withoutFirst(int count) {
    return new Tokens(ids, lost, Math.min(count, ids.length - 1), spans, told, image);
  }

  /** The same, of a query. */
  Tokens ofQuery() {
    return new Tokens(ids, lost, unpooled, spans, told.ofQuery(), image);
  }
}
