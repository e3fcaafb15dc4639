package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.densehook.bundle.Kind;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cut;
import org.densehook.chunk.LongText;
import org.densehook.chunk.Window;
import org.densehook.encode.Content;

/** An encoder in service on this node. */
public interface EncoderHandle {

  String name();

  /** What its documents' vectors are of: the fingerprint that an index states. */
  String fingerprint();

  /** Its bundle's fingerprint, which is another where queries have a tower of their own. */
  String identity();

  /** What it gives for a text. */
  Kind kind();

  /** All that it gives; its own kind alone, mostly. */
  default Set<Kind> kinds() {
    return Set.of(kind());
  }

  /** All that one run of it gives for a text, or for an image. */
  default Set<Kind> kinds(Content content) {
    return kinds();
  }

  /** The one of its kinds that gives what another does; that other where there is none. */
  default Kind giving(Kind wanted) {
    return kinds().stream().filter(each -> each.gives(wanted)).findFirst().orElse(wanted);
  }

  /**
   * What it gave of one kind for a text.
   *
   * @param given what was wanted of the text; none for the encoder's own kind
   * @param row of all of these
   */
  default float[] row(Kind kind, Set<Kind> given, float[] row) {
    return row;
  }

  /**
   * Refuses what encoders of one kind alone can do.
   *
   * @param wants who asks, as {@code query [dense]}
   * @throws IllegalArgumentException unless this one is of that kind
   */
  default void require(Kind kind, String wants) {
    if (kinds().stream().noneMatch(each -> each.gives(kind))) {
      throw new IllegalArgumentException(
          "encoder ["
              + name()
              + "] is of kind ["
              + kinds().stream().map(Kind::toString).collect(Collectors.joining("], ["))
              + "], "
              + wants
              + " needs one of kind ["
              + kind
              + "]");
    }
  }

  /** Length of its vectors; 0 where its kind has none. */
  int dims();

  /** The same of one of its kinds. */
  default int dims(Kind kind) {
    return dims();
  }

  /**
   * Weights by token, the largest first.
   *
   * @param row of a sparse encoder
   * @throws UnsupportedOperationException for one of another kind
   */
  default Map<String, Float> terms(float[] row) {
    throw new UnsupportedOperationException("encoder [" + name() + "] is of kind [" + kind() + "]");
  }

  /** The text of a document: its non-empty inputs, joined as the manifest says. */
  String join(List<String> inputs);

  /** What is put between two of them. */
  String joiner();

  /**
   * The chunks of a document's text; one holds no more tokens than the rule says, and the encoder
   * reads.
   *
   * @param prompt what goes before each; null for the encoder's own prompt of documents
   * @throws IllegalArgumentException for a text of more chunks than the rule allows
   * @throws Exception as encoding it would fail
   */
  Cut cut(LongText text, String prompt, ChunkRule rule) throws Exception;

  /**
   * The chunks of a document's text, as many together as the encoder reads.
   *
   * @param prompt what goes before the text; null for that of documents
   * @throws IllegalArgumentException where parts of a text have no vectors
   * @throws Exception as encoding it would fail
   */
  List<Window> windows(String text, String prompt, List<Chunk> chunks) throws Exception;
}
