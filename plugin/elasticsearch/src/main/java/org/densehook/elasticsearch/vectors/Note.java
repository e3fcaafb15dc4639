package org.densehook.elasticsearch.vectors;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.elasticsearch.common.hash.MessageDigests;

/**
 * What a vector was made of, as the document keeps it in {@code densehook} under the vector field's
 * path: a vector is current when this says the document's text and the field's encoder.
 *
 * @param fingerprint of the encoder that made the vector; null for one that a client brought
 * @param text hash of the text it was made of, or came with
 */
record Note(String fingerprint, String text) {

  private static final String FINGERPRINT = "fingerprint";
  private static final String TEXT = "text";
  private static final int HASH_BYTES = 16;

  /** The note on a field's vector; null when the document has none that can be read. */
  static Note of(Map<?, ?> document, String field) {
    Map<?, ?> note = entry(document, field);
    Object fingerprint = note.get(FINGERPRINT);
    return note.get(TEXT) instanceof String text
            && (fingerprint == null || fingerprint instanceof String)
        ? new Note((String) fingerprint, text)
        : null;
  }

  /** Whether the document has an entry for a field, readable or not: its vector is looked after. */
  static boolean isAbout(Map<?, ?> document, String field) {
    return document.get(IndexVectors.NOTES) instanceof Map<?, ?> notes && notes.get(field) != null;
  }

  /** Whether the document says of a vector that it has no note, which the one before may have. */
  static boolean isDisowned(Map<?, ?> document, String field) {
    return document.get(IndexVectors.NOTES) instanceof Map<?, ?> notes
        && notes.containsKey(field)
        && notes.get(field) == null;
  }

  private static Map<?, ?> entry(Map<?, ?> document, String field) {
    return document.get(IndexVectors.NOTES) instanceof Map<?, ?> notes
            && notes.get(field) instanceof Map<?, ?> note
        ? note
        : Map.of();
  }

  /** Hash of a text as its vector's note has it: 16 bytes of SHA-256 over UTF-8, in hex. */
  static String hash(String text) {
    byte[] sum = MessageDigests.sha256().digest(wellFormed(text).getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(sum, 0, HASH_BYTES);
  }

  /** A lone surrogate has no UTF-8; the tokenizer reads U+FFFD for it. */
  private static String wellFormed(String text) {
    if (text.chars().noneMatch(c -> Character.isSurrogate((char) c))) {
      return text;
    }
    StringBuilder repaired = new StringBuilder(text.length());
    text.codePoints()
        .map(c -> Character.getType(c) == Character.SURROGATE ? 0xFFFD : c)
        .forEach(repaired::appendCodePoint);
    return repaired.toString();
  }

  /** Whether a vector with this note is that of a text in a field of this encoder. */
  boolean fits(String fieldFingerprint, String textHash) {
    return text.equals(textHash)
        && (fingerprint == null || Objects.equals(fingerprint, fieldFingerprint));
  }

  boolean isOfAClient() {
    return fingerprint == null;
  }

  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    if (fingerprint != null) {
      map.put(FINGERPRINT, fingerprint);
    }
    map.put(TEXT, text);
    return map;
  }
}
