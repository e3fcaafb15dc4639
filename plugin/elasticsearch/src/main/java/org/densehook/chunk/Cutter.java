package org.densehook.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Cuts a text by a rule: the algorithm that the Python package has, too.
 *
 * <p>A chunk is as many sentences as it takes, or words; a sentence that is too long by itself is
 * cut between words, a word between graphemes. What is behind the last chunk is hardly looked at.
 */
public final class Cutter {

  /** How many tokens the model reads of texts, those around each included. */
  @FunctionalInterface
  public interface Sizes {

    /** One number for each text, in their order; may fail as the tokenizer does. */
    int[] of(List<String> texts) throws Exception;
  }

  private final List<LongText.Part> parts;
  private final MeasuredText text;
  private final ChunkRule rule;

  private Cutter(LongText whole, ChunkRule rule, Sizes sizes) throws Exception {
    parts = whole.parts().isEmpty() ? List.of(new LongText.Part(0, null)) : whole.parts();
    text = new MeasuredText(whole, rule, sizes);
    this.rule = rule;
  }

  /**
   * The chunks of a text, in its order; each character is in one at least, but for overlaps.
   *
   * @throws IllegalArgumentException for a text of too many chunks, and where a prompt leaves it no
   *     room
   * @throws Exception what {@code sizes} throws
   */
  public static Cut cut(LongText text, ChunkRule rule, Sizes sizes) throws Exception {
    return new Cutter(text, rule, sizes).cut();
  }

  private Cut cut() throws Exception {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      int end = i + 1 < parts.size() ? parts.get(i + 1).start() : text.length();
      if (!addChunks(parts.get(i), end, chunks)) {
        return new Cut(chunks, true);
      }
    }
    return new Cut(chunks, false);
  }

  /** Adds the chunks of a part; whether all of them are taken. */
  private boolean addChunks(LongText.Part part, int partEnd, List<Chunk> chunks) throws Exception {
    Pieces pieces = new Pieces(text, part.start(), partEnd, rule);
    int covered = part.start();
    while (pieces.has(0)) {
      int behind = end(pieces);
      int start = pieces.get(0).start();
      int end = pieces.get(behind - 1).end();
      if (end <= covered) { // what it repeats leaves no room for more
        pieces.beginAt(covered);
        continue;
      }
      if (chunks.size() == rule.maxChunks()) {
        requireNotRefused();
        return false;
      }
      chunks.add(new Chunk(start, end, text.content(start, end), part.name()));
      covered = end;
      pieces.drop(next(pieces, behind));
    }
    return true;
  }

  private void requireNotRefused() {
    if (rule.beyond().equals(ChunkRule.REFUSE)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "its text of %,d characters has more than %d chunks; cut it into several documents,"
                  + " raise max_chunks of the field's chunk, or let what is beyond it be left out"
                  + " (beyond: \"cut\")",
              text.length(),
              rule.maxChunks()));
    }
  }

  /** Behind the last piece of the chunk that begins with the first one: one at least. */
  private int end(Pieces pieces) throws Exception {
    int end = 0;
    int tokens = 0;
    while (pieces.has(end)) {
      Piece piece = pieces.get(end);
      if (piece.isLong()) {
        if (tokens >= text.room() || !pieces.split(end)) {
          break;
        }
        if (pieces.get(end).end() < piece.end()) {
          return end + 1;
        }
      } else if (end > 0 && tokens + piece.tokens() > text.room()) {
        break;
      }
      tokens += pieces.get(end).tokens();
      end++;
    }
    // what pieces have by themselves is nearly what they have together
    while (end > 1 && !text.fits(pieces.get(0).start(), pieces.get(end - 1).end())) {
      end--;
    }
    return end;
  }

  /** The piece with which the next chunk begins: it repeats some where there is room. */
  private int next(Pieces pieces, int end) throws Exception {
    if (!pieces.has(end)) {
      return end;
    }
    int most = Math.min(rule.overlap(), text.room() - pieces.get(end).tokens());
    int first = end;
    int tokens = 0;
    while (first > 1 && tokens + pieces.get(first - 1).tokens() <= most) {
      first--;
      tokens += pieces.get(first).tokens();
    }
    boolean isCut = first == end && most > 0 && pieces.get(end - 1).isPart();
    return isCut && pieces.shorten(end - 1, most) ? end - 1 : first;
  }
}
