package org.densehook.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How texts are cut into chunks, each of which has a vector.
 *
 * @param by whole sentences, as many as a chunk takes; words, whatever sentence they are of; the
 *     sections or the items of a document by themselves, by sentences where one is too long; late:
 *     by sentences, each chunk encoded with those around it
 * @param maxTokens those that the model reads of a chunk, all included
 * @param overlap how many, at most, of a chunk's last tokens the next one begins with
 * @param maxChunks a text of more is refused, or has those alone
 * @param beyond which of the two: {@link #REFUSE} or {@link #CUT}
 * @param prefix paths of the fields whose text is put before each chunk, as much of it as half of a
 *     chunk holds
 */
public record ChunkRule(
    String by, int maxTokens, int overlap, int maxChunks, String beyond, List<String> prefix) {

  public static final String BY_SENTENCE = "sentence";
  public static final String BY_TOKENS = "tokens";
  public static final String BY_SECTION = "section";
  public static final String BY_GIVEN = "given";
  public static final String LATE = "late";
  public static final String REFUSE = "refuse";
  public static final String CUT = "cut";

  private static final List<String> WAYS =
      List.of(BY_SENTENCE, BY_TOKENS, BY_SECTION, BY_GIVEN, LATE);
  private static final List<String> KEYS =
      List.of("by", "max_tokens", "overlap", "max_chunks", "beyond", "prefix");

  /** By ways in which chunks have one: where a chunk's object has the name of its part. */
  private static final Map<String, String> NAMES = Map.of(BY_SECTION, "section", BY_GIVEN, "item");

  // fewer are hardly more than what the encoder puts around each text
  private static final int LEAST_TOKENS = 8;
  private static final int LEAST_ROOM = LEAST_TOKENS / 2;
  // of a chunk's tokens at least one in so many is the text's own
  private static final int SHARE_OF_TEXT = 4;

  /** Refuses a rule that cannot be. */
  public ChunkRule {
    if (!WAYS.contains(by)) {
      throw refused("by", by, "it is one of " + String.join(", ", WAYS));
    }
    if (maxTokens < LEAST_TOKENS) {
      throw refused("max_tokens", maxTokens, "it is at least " + LEAST_TOKENS);
    }
    if (overlap < 0 || overlap > maxTokens / 2) {
      throw refused("overlap", overlap, "it is from 0 to half of max_tokens");
    }
    if (maxChunks < 1) {
      throw refused("max_chunks", maxChunks, "it is at least 1");
    }
    if (by.equals(LATE) && (overlap > 0 || !prefix.isEmpty())) {
      throw refused("by", by, "such chunks see each other: overlap and prefix go without");
    }
    if (!beyond.equals(REFUSE) && !beyond.equals(CUT)) {
      throw refused("beyond", beyond, "it is one of refuse, cut");
    }
  }

  /** One that refuses what is too long, and puts nothing before a chunk. */
  public ChunkRule(String by, int maxTokens, int overlap, int maxChunks) {
    this(by, maxTokens, overlap, maxChunks, REFUSE, List.of());
  }

  /**
   * Reads what {@code _meta} states.
   *
   * @throws IllegalArgumentException for what is no rule
   */
  public static ChunkRule parse(Object stated) {
    if (!(stated instanceof Map<?, ?> rule)) {
      throw new IllegalArgumentException(
          "chunk is [" + stated + "]; it is an object with [by], [max_tokens] and [overlap]");
    }
    for (Object key : rule.keySet()) {
      if (!KEYS.contains(key.toString())) {
        throw new IllegalArgumentException(
            "chunk has an unknown key [" + key + "]; known are " + KEYS);
      }
    }
    Object by = rule.get("by");
    Object beyond = rule.get("beyond");
    return new ChunkRule(
        by == null ? BY_SENTENCE : by.toString(),
        number(rule, "max_tokens", 256),
        number(rule, "overlap", 0),
        number(rule, "max_chunks", 512),
        beyond == null ? REFUSE : beyond.toString(),
        paths(rule.get("prefix")));
  }

  private static List<String> paths(Object stated) {
    List<?> items =
        stated instanceof List<?> list ? list : stated == null ? List.of() : List.of(stated);
    List<String> paths = new ArrayList<>();
    for (Object item : items) {
      if (!(item instanceof String path) || path.isBlank()) {
        throw refused("prefix", stated, "it is a text field or a list of them");
      }
      paths.add(path);
    }
    return List.copyOf(paths);
  }

  private static int number(Map<?, ?> rule, String key, int otherwise) {
    Object value = rule.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Integer number) { // as Elasticsearch reads whole numbers
      return number;
    }
    throw refused(key, value, "it is a whole number");
  }

  /** The rule for an encoder that reads so many tokens of a text. */
  public ChunkRule within(int tokens) {
    return tokens >= maxTokens
        ? this
        : new ChunkRule(by, tokens, Math.min(overlap, tokens / 2), maxChunks, beyond, prefix);
  }

  /**
   * How many tokens of a chunk are its text's, where the others are around it.
   *
   * <p>Refuses a rule by which a prompt leaves it too few: a text would have a chunk for every few
   * letters, each vector mostly of the prompt, and cost several times its own tokens. What is put
   * before chunks by {@code prefix} never does, for it is shortened.
   */
  int roomWithin(int around) {
    int room = maxTokens - around;
    int least = Math.max(LEAST_ROOM, maxTokens / SHARE_OF_TEXT);
    if (room < least) {
      throw refused(
          "max_tokens",
          maxTokens,
          "prompt and special tokens take "
              + around
              + " of them, and at least "
              + least
              + " must be the text's: raise it, as far as the encoder reads, or give a shorter"
              + " prompt");
    }
    return room;
  }

  /** Whether a chunk is encoded with those around it. */
  public boolean isLate() {
    return by.equals(LATE);
  }

  /** The key under which a chunk's object has the name of its part; null where it has none. */
  public String nameKey() {
    return NAMES.get(by);
  }

  /** What a note's hash is of: a text that is cut, or put, another way is another text. */
  public String hashed(LongText text) {
    StringBuilder lines = new StringBuilder(toString()).append('\n');
    if (!text.isEmpty()) {
      String prefix = text.prefix();
      if (!prefix.isEmpty()) {
        int points = prefix.codePointCount(0, prefix.length());
        lines.append(points).append(' ').append(prefix).append('\n');
      }
      for (LongText.Part part : text.parts()) {
        lines.append(part.start()).append(' ').append(part.name()).append('\n');
      }
    }
    return lines.append(text.text()).toString();
  }

  /** What of the rule decides where a text is cut: a part of each note. */
  @Override
  public String toString() {
    String limit = beyond.equals(CUT) ? " " + maxChunks : "";
    return String.format(Locale.ROOT, "%s %d %d%s", by, maxTokens, overlap, limit);
  }

  private static IllegalArgumentException refused(String key, Object value, String why) {
    return new IllegalArgumentException("chunk." + key + " is [" + value + "]; " + why);
  }
}
