package org.densehook.elasticsearch.vectors;

import java.util.Map;

/**
 * What becomes of one vector of a document that is about to be written: the one place that decides
 * whether a vector is current.
 *
 * @param kind what is done
 * @param embedding the stored document's, for {@link Kind#TAKE}
 * @param text what is to be encoded, for {@link Kind#MAKE}
 * @param note what the document is to say of the vector; null to say nothing
 */
record VectorDecision(Kind kind, Embedding embedding, PromptedText text, Note note) {

  enum Kind {
    /** The document is written as it is. */
    LEAVE,
    /** The vector is current; only its note is written. */
    NOTE,
    /** The stored document has the vector of this text. */
    TAKE,
    /** The text is encoded. */
    MAKE,
    /** There is no text, so there is no vector; the note says so, for when there is one. */
    NONE
  }

  private static final VectorDecision LEAVE = new VectorDecision(Kind.LEAVE, null, null, null);

  /**
   * Whether the stored document must be known to decide: to take its vector, or to tell whether a
   * vector is a client's own or has only travelled with the document.
   *
   * @param reuses whether the vectors of unchanged texts are taken from stored documents
   * @param conditional whether the document replaces a certain one, as the outcome of an update
   *     does, whose vector may have been replaced without its note
   */
  static boolean needsStored(
      FieldToEmbed to, Map<?, ?> document, boolean reuses, boolean conditional) {
    String field = to.field().name();
    Note note = Note.of(document, field);
    if (to.field().valueIn(document) == null) {
      return (to.fills() || Note.isAbout(document, field))
          && (reuses || note != null)
          && !to.text(document).isEmpty();
    }
    if (note == null) {
      return to.fills() || Note.isDisowned(document, field);
    }
    return conditional || !note.fits(to.field().fingerprint(), to.field().hash(to.text(document)));
  }

  /**
   * Decides.
   *
   * @param document at least its inputs, vector and notes
   * @param stored the same of the document that is being replaced; null when there is none, or
   *     nobody knows
   * @param reuses whether the vectors of unchanged texts are taken from the stored document
   */
  static VectorDecision of(FieldToEmbed to, Map<?, ?> document, Map<?, ?> stored, boolean reuses) {
    String field = to.field().name();
    Object present = to.field().valueIn(document);
    boolean lookedAfter =
        Note.isAbout(document, field) || stored != null && Note.isAbout(stored, field);
    if (!to.fills() && !lookedAfter) {
      return LEAVE;
    }
    PromptedText text = to.text(document);
    String hash = to.field().hash(text);
    if (present != null) {
      Note stated = Note.of(document, field);
      Note note = noteOn(document, stated, to, stored);
      if (note == null) { // a client's own, which belongs to the text that it comes with
        return new VectorDecision(Kind.NOTE, null, null, new Note(null, hash));
      }
      if (note.fits(to.field().fingerprint(), hash)) {
        return note.equals(stated) ? LEAVE : new VectorDecision(Kind.NOTE, null, null, note);
      }
    }
    Note made = new Note(to.field().fingerprint(), hash);
    if (text.isEmpty()) {
      boolean saysSo = present == null && made.equals(Note.of(document, field));
      return saysSo || to.hasUnreadableInput(document)
          ? LEAVE
          : new VectorDecision(Kind.NONE, null, null, made);
    }
    if (present == null && stored != null) {
      Note note = Note.of(stored, field);
      Embedding embedding = to.field().embeddingIn(stored);
      if (note != null
          && embedding != null
          && note.fits(to.field().fingerprint(), hash)
          && (note.isOfAClient() ? note.equals(Note.of(document, field)) : reuses)) {
        return new VectorDecision(Kind.TAKE, embedding, null, note);
      }
    }
    return new VectorDecision(Kind.MAKE, null, text, made);
  }

  /** The note that belongs to the vector a document has; null when a client has just brought it. */
  private static Note noteOn(Map<?, ?> document, Note stated, FieldToEmbed to, Map<?, ?> stored) {
    if (stored == null) {
      return stated;
    }
    String field = to.field().name();
    Note storedNote = Note.of(stored, field);
    Embedding before = to.field().embeddingIn(stored);
    Embedding now = to.field().embeddingIn(document);
    boolean travelled = before != null && now != null && before.isSame(now, to.field().format());
    if (stated == null && travelled) { // the document was read, changed and sent back without it
      return storedNote != null ? storedNote : new Note(null, to.field().hash(to.text(stored)));
    }
    // the vector was replaced, and the note of the one before came along
    boolean leftOver = before != null && !travelled && stated != null && stated.equals(storedNote);
    return leftOver ? null : stated;
  }
}
