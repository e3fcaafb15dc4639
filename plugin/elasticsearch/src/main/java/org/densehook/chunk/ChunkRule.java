package org.densehook.chunk;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How texts are cut into chunks, each of which has a vector.
 *
 * @param by whole sentences, as many as a chunk takes; or words, whatever sentence they are of
 * @param maxTokens those that the model reads of a chunk, all included
 * @param overlap how many, at most, of a chunk's last tokens the next one begins with
 * @param maxChunks a text of more is refused
 */
public record ChunkRule(String by, int maxTokens, int overlap, int maxChunks) {

  public static final String BY_SENTENCE = "sentence";
  public static final String BY_TOKENS = "tokens";

  private static final List<String> WAYS = List.of(BY_SENTENCE, BY_TOKENS);
  private static final List<String> KEYS = List.of("by", "max_tokens", "overlap", "max_chunks");

  // fewer are hardly more than what the encoder puts around each text
  private static final int LEAST_TOKENS = 8;

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
    return new ChunkRule(
        by == null ? BY_SENTENCE : by.toString(),
        number(rule, "max_tokens", 256),
        number(rule, "overlap", 0),
        number(rule, "max_chunks", 512));
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
        : new ChunkRule(by, tokens, Math.min(overlap, tokens / 2), maxChunks);
  }

  /** What of the rule decides where a text is cut: a part of each note. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s %d %d", by, maxTokens, overlap);
  }

  private static IllegalArgumentException refused(String key, Object value, String why) {
    return new IllegalArgumentException("chunk." + key + " is [" + value + "]; " + why);
  }
}
