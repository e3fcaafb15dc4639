package org.densehook.encode;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;

/**
 * A bundle at work: its tokenizer, and its graph twice, so that queries do not wait for a run of
 * documents.
 */
public final class EncoderRuntime implements AutoCloseable {

  /** The two kinds of work, each with threads of its own. */
  public enum LaneName {
    INGEST,
    QUERY
  }

  private final Manifest manifest;
  private final long modelBytes;
  private final Tokenizer tokenizer;
  private final Graph ingest;
  private final Graph query;

  /**
   * Opens a bundle's files; {@link SelfTest} decides whether it may go into service.
   *
   * @param ingestThreads threads of one run of documents
   * @param queryThreads threads of one run of queries
   */
  public EncoderRuntime(Bundle bundle, int ingestThreads, int queryThreads)
      throws BundleException, IOException {
    manifest = bundle.manifest();
    modelBytes = bundle.modelBytes();
    tokenizer = new Tokenizer(bundle.tokenizer(), manifest.maxTokens());
    List<AutoCloseable> opened = new ArrayList<>(List.of(tokenizer));
    try {
      ingest = new Graph(bundle.model(), manifest, ingestThreads, false);
      opened.add(ingest);
      query = new Graph(bundle.model(), manifest, queryThreads, true);
    } catch (BundleException | RuntimeException e) {
      for (AutoCloseable part : opened) {
        closeQuietly(part);
      }
      throw e;
    }
  }

  public Manifest manifest() {
    return manifest;
  }

  /** The size of the model's files; their content is in memory twice. */
  public long modelBytes() {
    return modelBytes;
  }

  /** The version of the ONNX Runtime that runs it, as 1.32.0. */
  public String onnxruntime() {
    return ingest.onnxruntime();
  }

  /** The share of a run that may be padding: none where the graph does not know padding. */
  public double maxPadding() {
    return manifest.knowsPadding() ? Packing.MAX_PADDING : 0;
  }

  /** What the model reads for a text: prompt, special tokens and truncation included. */
  public Tokens tokenize(String text, Role role) throws EncodeException {
    Tokens tokens = tokenizer.tokenize(manifest.prompts().get(role) + text);
    if (tokens.length() == 0) {
      throw new EncodeException(
          EncodeException.Kind.TEXT, "the text [" + shown(text) + "] gives no token");
    }
    return tokens;
  }

  /**
   * VectorFormat of texts that run together.
   *
   * @return float32 [batch, dims]
   */
  public float[][] run(List<Tokens> batch, LaneName lane) throws EncodeException {
    return (lane == LaneName.INGEST ? ingest : query).run(batch);
  }

  private static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  private static void closeQuietly(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      // the reason why the encoder is given up matters, not this
    }
  }

  /** Frees the native memory; no run may be in flight. */
  @Override
  public void close() {
    tokenizer.close();
    ingest.close();
    query.close();
  }
}
