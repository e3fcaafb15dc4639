package org.densehook.elasticsearch.service;

import java.util.List;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;

/** An encoder in service on this node. */
public interface EncoderHandle {

  String name();

  String fingerprint();

  int dims();

  /** The text of a document: its non-empty inputs, joined as the manifest says. */
  String join(List<String> inputs);

  /**
   * The chunks of a document's text; one holds no more tokens than the rule says, and the encoder
   * reads.
   *
   * @param prompt what goes before each; null for the encoder's own prompt of documents
   * @throws IllegalArgumentException for a text of more chunks than the rule allows
   * @throws Exception as encoding it would fail
   */
  List<Chunk> cut(String text, String prompt, ChunkRule rule) throws Exception;
}
