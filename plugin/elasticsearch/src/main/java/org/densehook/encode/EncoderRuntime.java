package org.densehook.encode;

import java.io.IOException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;

/** A bundle at work: its tokenizer and its graph, which documents and queries share. */
public final class EncoderRuntime implements AutoCloseable {

  private final Manifest manifest;
  private final long modelBytes;
  private final Output output;
  private final Map<Role, Tokenizer> tokenizers;
  private final Graph graph;

  /**
   * Opens a bundle's files; {@link SelfTest} decides whether it may go into service.
   *
   * @param threads threads of one run
   */
  public EncoderRuntime(Bundle bundle, int threads) throws BundleException, IOException {
    manifest = bundle.manifest();
    modelBytes = bundle.modelBytes();
    output = Output.BY_KIND.get(manifest.kind());
    tokenizers = tokenizers(bundle);
    try {
      graph = new Graph(bundle.model(), manifest, threads);
    } catch (BundleException | RuntimeException e) {
      closeTokenizers();
      throw e;
    }
  }

  /** One for each length at which texts are cut. */
  private Map<Role, Tokenizer> tokenizers(Bundle bundle) throws BundleException, IOException {
    Map<Integer, Tokenizer> byLimit = new HashMap<>();
    Map<Role, Tokenizer> byRole = new EnumMap<>(Role.class);
    for (Role role : Role.values()) {
      int limit = output.mostTokens(role, manifest);
      Tokenizer known = byLimit.get(limit);
      byRole.put(role, known == null ? new Tokenizer(bundle.tokenizer(), limit) : known);
      byLimit.put(limit, byRole.get(role));
    }
    return byRole;
  }

  private void closeTokenizers() {
    Set.copyOf(tokenizers.values()).forEach(Tokenizer::close);
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
    return tokenize(text, promptOf(role), List.of());
  }

  /**
   * The same for a document, with its parts.
   *
   * @param stated its own prompt; null for that of documents
   * @param spans the first code point of each part that has a vector, and the one behind its last
   */
  public Tokens tokenizeDocument(String text, String stated, List<int[]> spans)
      throws EncodeException {
    return tokenize(text, documentPrompt(stated), spans);
  }

  private Tokens tokenize(String text, Prompt prompt, List<int[]> spans) throws EncodeException {
    int before = prompt.text().codePointCount(0, prompt.text().length());
    List<int[]> shifted =
        spans.stream().map(span -> new int[] {span[0] + before, span[1] + before}).toList();
    Tokens tokens =
        output.read(
            tokenizers.get(prompt.role()).tokenize(prompt.text() + text, shifted),
            prompt.role(),
            manifest);
    if (tokens.length() == 0) {
      throw new EncodeException(
          EncodeException.Kind.TEXT, "the text [" + shown(text) + "] gives no token");
    }
    return tokens.withoutFirst(prompt.unpooled());
  }

  /** How many tokens it would read of a document, however many it can. */
  public int size(String text, String stated) throws EncodeException {
    Tokens tokens =
        output.read(
            tokenizers.get(Role.DOCUMENT).tokenize(documentPrompt(stated).text() + text),
            Role.DOCUMENT,
            manifest);
    return tokens.length() + tokens.lost();
  }

  private Prompt promptOf(Role role) {
    return new Prompt(
        manifest.prompts().get(role), manifest.unpooled().getOrDefault(role, 0), role);
  }

  private Prompt documentPrompt(String stated) throws EncodeException {
    if (stated == null) {
      return promptOf(Role.DOCUMENT);
    }
    for (Role role : Role.values()) {
      if (stated.equals(manifest.prompts().get(role))) {
        Prompt known = promptOf(role);
        return new Prompt(known.text(), known.unpooled(), Role.DOCUMENT);
      }
    }
    if (!manifest.unpooled().isEmpty()) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "the encoder pools no tokens of its prompts, and of ["
              + stated
              + "] it is not known which they are; state one of "
              + manifest.prompts().values());
    }
    return new Prompt(stated, 0, Role.DOCUMENT);
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
    closeTokenizers();
    graph.close();
  }
}
