package org.densehook.elasticsearch.service;

import java.util.List;
import org.densehook.bundle.Blank;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cutter;

/** What is known of an encoder that encodes nothing; its tokens are words, and two around them. */
public record KnownEncoder(String name, String fingerprint, int dims) implements EncoderHandle {

  @Override
  public String join(List<String> inputs) {
    return String.join(" ", inputs.stream().filter(text -> !Blank.is(text)).toList());
  }

  @Override
  public List<Chunk> cut(String text, String prompt, ChunkRule rule) throws Exception {
    return Cutter.cut(
        text, rule, texts -> texts.stream().mapToInt(each -> 2 + each.split(" ").length).toArray());
  }
}
