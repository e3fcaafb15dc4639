package org.densehook.elasticsearch.service;

import java.util.List;
import org.densehook.bundle.Blank;
import org.densehook.bundle.Kind;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cut;
import org.densehook.chunk.Cutter;
import org.densehook.chunk.LongText;
import org.densehook.chunk.Window;

/** What is known of an encoder that encodes nothing; its tokens are words, and two around them. */
public record KnownEncoder(String name, String fingerprint, int dims, String joiner)
    implements EncoderHandle {

  /** One that joins by spaces. */
  public KnownEncoder(String name, String fingerprint, int dims) {
    this(name, fingerprint, dims, " ");
  }

  @Override
  public String identity() {
    return fingerprint;
  }

  @Override
  public Kind kind() {
    return Kind.DENSE;
  }

  @Override
  public String join(List<String> inputs) {
    return String.join(joiner, inputs.stream().filter(text -> !Blank.is(text)).toList());
  }

  @Override
  public Cut cut(LongText text, String prompt, ChunkRule rule) throws Exception {
    return Cutter.cut(text, rule, KnownEncoder::sizes);
  }

  @Override
  public List<Window> windows(String text, String prompt, List<Chunk> chunks) throws Exception {
    return Window.of(text, chunks, 64, KnownEncoder::sizes);
  }

  private static int[] sizes(List<String> texts) {
    return texts.stream().mapToInt(each -> 2 + each.split(" ").length).toArray();
  }
}
