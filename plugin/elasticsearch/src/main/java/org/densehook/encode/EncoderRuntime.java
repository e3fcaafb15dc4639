package org.densehook.encode;

import java.io.IOException;
import java.util.List;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;

/** A bundle at work: its tokenizer and its graph, which documents and queries share. */
public final class EncoderRuntime implements AutoCloseable {

  private final Manifest manifest;
  private final long modelBytes;
  private final Tokenizer tokenizer;
  private final Graph graph;

  /**
   * Opens a bundle's files; {@link SelfTest} decides whether it may go into service.
   *
   * @param threads threads of one run
   */
  public EncoderRuntime(Bundle bundle, int threads) throws BundleException, IOException {
    manifest = bundle.manifest();
    modelBytes = bundle.modelBytes();
    tokenizer = new Tokenizer(bundle.tokenizer(), manifest.maxTokens());
    try {
      graph = new Graph(bundle.model(), manifest, threads);
    } catch (BundleException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  public Manifest manifest() {
    return manifest;
  }

  /** The size of the model's files; their content is in memory once. */
  public long modelBytes() {
    return modelBytes;
  }

  /** The version of the ONNX Runtime that runs it, as 1.32.0. */
  public String onnxruntime() {
    return graph.onnxruntime();
  }

  /** The share of a run that may be padding: none where the graph does not know padding. */
  public double maxPadding() {
    return manifest.knowsPadding() ? Packing.MAX_PADDING : 0;
  }

  /** What the model reads for a text: prompt, special tokens and truncation included. */
  public Tokens tokenize(String text, Role role) throws EncodeException {
    return tokenize(text, List.of(), role);
  }

  /**
   * The same with its parts.
   *
   * @param spans the first code point of each part that has a vector, and the one behind its last
   */
  public Tokens tokenize(String text, List<int[]> spans, Role role) throws EncodeException {
    String prompt = manifest.prompts().get(role);
    int before = prompt.codePointCount(0, prompt.length());
    List<int[]> shifted =
        spans.stream().map(span -> new int[] {span[0] + before, span[1] + before}).toList();
    Tokens tokens = tokenizer.tokenize(prompt + text, shifted);
    if (tokens.length() == 0) {
      throw new EncodeException(
          EncodeException.Kind.TEXT, "the text [" + shown(text) + "] gives no token");
    }
    return tokens.withoutFirst(manifest.unpooled().getOrDefault(role, 0));
  }

  /** How many tokens it would read of a text, however many it can: else as {@link #tokenize}. */
  public int size(String text, Role role) throws EncodeException {
    Tokens tokens = tokenizer.tokenize(manifest.prompts().get(role) + text);
    return tokens.length() + tokens.lost();
  }

  /**
   * The vectors of texts that run together; several runs may be in flight at a time.
   *
   * @return float32 [batch, dims]; of a text in parts, their vectors one behind the other
   */
  public float[][] run(List<Tokens> batch) throws EncodeException {
    return graph.run(batch);
  }

  private static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  /** Frees the native memory; no run may be in flight. */
  @Override
  public void close() {
    tokenizer.close();
    graph.close();
  }
}
