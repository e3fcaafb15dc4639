package org.densehook.elasticsearch.service;

import java.util.List;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cut;
import org.densehook.chunk.LongText;
import org.densehook.chunk.Window;

/** An encoder in service on this node. */
public interface EncoderHandle {

  String name();

  String fingerprint();

  int dims();

  /** The text of a document: its non-empty inputs, joined as the manifest says. */
  String join(List<String> inputs);

  /** What is put between two of them. */
  String joiner();

  /**
   * The chunks of a document's text; one holds no more tokens than the rule says, and the encoder
   * reads.
   *
   * @throws IllegalArgumentException for a text of more chunks than the rule allows
   * @throws Exception as encoding it would fail
   */
  Cut cut(LongText text, ChunkRule rule) throws Exception;

  /**
   * The chunks of a document's text, as many together as the encoder reads.
   *
   * @throws IllegalArgumentException where parts of a text have no vectors
   * @throws Exception as encoding it would fail
   */
  List<Window> windows(String text, List<Chunk> chunks) throws Exception;
}
