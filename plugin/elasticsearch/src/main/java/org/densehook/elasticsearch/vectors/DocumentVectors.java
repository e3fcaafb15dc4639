package org.densehook.elasticsearch.vectors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.chunk.LongText;

/**
 * The vectors of one document that is about to be written: what is decided of each, and what the
 * document is changed by when all are there.
 */
public final class DocumentVectors {

  /** A text to be encoded for a field. */
  record Text(FieldToEmbed to, LongText text, Note note) {}

  private final Collection<FieldToEmbed> fields;
  private final Map<String, Object> document;
  private final Map<String, Object> changes = new LinkedHashMap<>();
  private final Map<String, Object> notes;
  private Exception failure;
  private boolean notesChanged;

  /**
   * A document's own part.
   *
   * @param document its fields at {@link #paths}, at least
   */
  @SuppressWarnings("unchecked")
  public DocumentVectors(Collection<FieldToEmbed> fields, Map<String, Object> document) {
    this.fields = fields;
    this.document = document;
    notes =
        document.get(IndexVectors.NOTES) instanceof Map<?, ?> stated
            ? new LinkedHashMap<>((Map<String, Object>) stated)
            : new LinkedHashMap<>();
  }

  /** What must be read of a document: inputs, vectors and notes. */
  public static Set<String> paths(Collection<FieldToEmbed> fields) {
    Set<String> paths = new LinkedHashSet<>();
    paths.add(IndexVectors.NOTES);
    for (FieldToEmbed to : fields) {
      paths.add(to.field().path());
      paths.addAll(to.field().sources());
    }
    return paths;
  }

  /**
   * Whether the stored document must be known to decide.
   *
   * @throws IllegalArgumentException when an input is an object
   */
  public boolean needsStored(boolean reuses, boolean conditional) {
    return fields.stream()
        .anyMatch(to -> VectorDecision.needsStored(to, document, reuses, conditional));
  }

  /** Whether the document comes with vectors of its own. */
  public boolean areBrought() {
    return fields.stream().anyMatch(to -> to.field().valueIn(document) != null);
  }

  /**
   * Decides, and gives the texts that must be encoded.
   *
   * @param stored the same part of the document that is being replaced, or null
   * @throws IllegalArgumentException when an input is an object
   */
  List<Text> decide(Map<String, Object> stored, boolean reuses) {
    List<Text> texts = new ArrayList<>();
    for (FieldToEmbed to : fields) {
      VectorDecision decision = VectorDecision.of(to, document, stored, reuses);
      switch (decision.kind()) {
        case LEAVE -> {}
        case NOTE -> note(to, decision.note());
        case TAKE -> put(to, decision.embedding(), decision.note());
        case MAKE -> texts.add(new Text(to, decision.text(), decision.note()));
        case NONE -> {
          if (FieldPaths.has(document, to.field().path())) {
            changes.put(to.field().path(), null);
          }
          note(to, decision.note());
        }
        default -> throw new AssertionError(decision.kind());
      }
    }
    return texts;
  }

  synchronized void made(Text text, Embedding embedding) {
    put(text.to, embedding, text.note);
  }

  synchronized void failed(Exception e) {
    failure = failure == null ? e : failure; // the first of several reasons is enough
  }

  synchronized Exception failure() {
    return failure;
  }

  /** The document's fields that change, by path; null for one that goes. */
  synchronized Map<String, Object> changes() {
    if (notesChanged) {
      changes.put(IndexVectors.NOTES, notes.isEmpty() ? null : notes);
    }
    return changes;
  }

  private void put(FieldToEmbed to, Embedding embedding, Note note) {
    changes.put(to.field().path(), to.field().value(embedding));
    note(to, note);
  }

  private void note(FieldToEmbed to, Note note) {
    String field = to.field().name();
    if (!to.keepsNotes()) {
      notesChanged |= notes.remove(field) != null;
    } else {
      notes.put(field, note.asMap());
      notesChanged = true;
    }
  }
}
