package org.densehook.encode;

import java.util.List;
import org.densehook.bundle.Pairing;

/** Pairs of a query and a text, put together of the tokens that each has by itself. */
final class Pairs {

  private Pairs() {}

  /** How many tokens of each a model reads. */
  record Kept(int query, int text) {}

  /** What is left of a query and a text of so many tokens in a pair of {@code maxTokens}. */
  static Kept kept(Pairing pairing, int maxTokens, int query, int text) {
    int room = Math.max(0, maxTokens - pairing.around());
    if ((long) query + text <= room) {
      return new Kept(query, text);
    }
    if (!pairing.cutsLongest()) {
      int first = Math.min(query, room);
      return new Kept(first, Math.min(text, room - first));
    }
    if (2L * Math.min(query, text) <= room) { // as Hugging Face's tokenizers cut
      return query <= text ? new Kept(query, room - query) : new Kept(room - text, text);
    }
    int half = room / 2;
    return query <= text ? new Kept(half, room - half) : new Kept(room - half, half);
  }

  /**
   * There is nothing to score where one half of a pair has no token.
   *
   * @throws EncodeException that says which half
   */
  static void requireBoth(Tokens query, Tokens text) throws EncodeException {
    if (query.length() == 0 || text.length() == 0) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "the " + (query.length() == 0 ? "query" : "text") + " of a pair gives no token");
    }
  }

  /** A pair as the model reads it; what is lost of it is of both. */
  static Tokens paired(Pairing pairing, int maxTokens, Tokens query, Tokens text) {
    int first = query.length() + query.lost();
    int second = text.length() + text.lost();
    Kept kept = kept(pairing, maxTokens, first, second);
    long[] ids = new long[pairing.around() + kept.query + kept.text];
    int at = put(pairing.before(), ids, 0);
    System.arraycopy(query.ids(), 0, ids, at, kept.query);
    int secondFrom = put(pairing.between(), ids, at + kept.query);
    System.arraycopy(text.ids(), 0, ids, secondFrom, kept.text);
    put(pairing.after(), ids, secondFrom + kept.text);
    int lost = first + second - kept.query - kept.text;
    Tokens.Told told = Tokens.Told.ofPair(secondFrom, pairing.secondType());
    return Tokens.ofPair(ids, lost, told);
  }

  private static int put(List<Long> given, long[] ids, int at) {
    int next = at;
    for (long id : given) {
      ids[next++] = id;
    }
    return next;
  }
}
