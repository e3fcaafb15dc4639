package org.densehook.encode;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Manifest;

/**
 * An ONNX graph on the CPU. Runs in flight at the same time share its threads, each with the thread
 * that called it as one more: a query is not kept waiting by a run of documents.
 */
final class Graph implements AutoCloseable {

  /** What a graph's input says of a text's token; of padding it says 0, or the padding's id. */
  @FunctionalInterface
  private interface Input {
    long at(Tokens tokens, int place);
  }

  private static final Input IDS = (tokens, place) -> tokens.ids()[place];

  private static final Map<String, Input> INPUTS =
      Map.of(
          "input_ids", IDS,
          "attention_mask", (tokens, place) -> 1,
          "token_type_ids", (tokens, place) -> 0,
          "pooling_mask", (tokens, place) -> place < tokens.unpooled() ? 0 : 1);

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Manifest manifest;
  private final Output output;

  Graph(Path model, Manifest manifest, int threads) throws BundleException {
    Set<String> unknown = new TreeSet<>(manifest.inputs());
    unknown.removeAll(INPUTS.keySet());
    if (!unknown.isEmpty()) {
      throw new BundleException("graph inputs " + unknown + " are not known to this plugin");
    }
    this.manifest = manifest;
    output = Output.BY_KIND.get(manifest.kind());
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      // runs differ in shape: remembering a memory plan for each would grow without end
      options.setMemoryPatternOptimization(false);
      // threads look for work for a moment before they sleep, long enough for the pauses within a
      // run. By default it is some milliseconds, which on cores that others use too makes a query
      // half as long again and more, and a run of documents a fifth longer
      options.addConfigEntry("session.intra_op.allow_spinning", "1");
      options.addConfigEntry("session.intra_op.spin_duration_us", "50");
      // onnxruntime 1.32 on a CPU takes 0.99 ms for its fused SkipLayerNormalization of 512x384
      // floats, and 0.13 ms for the Add and the LayerNormalization it is made of
      options.addConfigEntry("optimization.disable_specified_optimizers", "SkipLayerNormFusion");
      session = environment.createSession(model.toString(), options);
    } catch (OrtException e) {
      throw new BundleException(
          model.getFileName()
              + " cannot be run: "
              + e.getMessage().strip().lines().findFirst().orElse(""));
    }
  }

  /**
   * Runs texts together, right-padded to the longest.
   *
   * @return a row for each text, as the encoder's kind gives it
   * @throws IllegalArgumentException when they need padding and the graph does not know it
   */
  float[][] run(List<Tokens> batch) throws EncodeException {
    int longest = longest(batch, manifest.knowsPadding());
    long[] shape = {batch.size(), longest};
    Map<String, OnnxTensor> feed = new HashMap<>();
    try {
      for (String input : manifest.inputs()) {
        LongBuffer content = filled(batch, longest, INPUTS.get(input));
        feed.put(input, OnnxTensor.createTensor(environment, content, shape));
      }
      try (OrtSession.Result result = session.run(feed, Set.of(manifest.output()))) {
        FloatBuffer given = ((OnnxTensor) result.get(0)).getFloatBuffer();
        return output.rows(given, batch.size(), manifest);
      }
    } catch (OrtException e) {
      throw new EncodeException(
          EncodeException.Kind.RUN, "the encoder cannot run it: " + e.getMessage(), e);
    } finally {
      feed.values().forEach(OnnxTensor::close);
    }
  }

  /** The version of ONNX Runtime's native library, as 1.32.0. */
  String onnxruntime() {
    return environment.getVersion();
  }

  /** The tokens each text of a batch takes; refuses a batch that would be padded and may not be. */
  static int longest(List<Tokens> batch, boolean mayBePadded) {
    IntSummaryStatistics lengths = batch.stream().mapToInt(Tokens::length).summaryStatistics();
    if (!mayBePadded && lengths.getMin() != lengths.getMax()) { // it would read padding as text
      throw new IllegalArgumentException(
          "texts of "
              + lengths.getMin()
              + " to "
              + lengths.getMax()
              + " tokens cannot run together: the graph has no attention_mask");
    }
    return lengths.getMax();
  }

  private LongBuffer filled(List<Tokens> batch, int longest, Input input) {
    LongBuffer content =
        ByteBuffer.allocateDirect(batch.size() * longest * Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .asLongBuffer();
    for (Tokens tokens : batch) {
      for (int i = 0; i < tokens.length(); i++) {
        content.put(input.at(tokens, i));
      }
      long padding = input == IDS ? manifest.padId() : 0;
      for (int i = tokens.length(); i < longest; i++) {
        content.put(padding);
      }
    }
    return content.flip();
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("the ONNX session does not close", e);
    }
  }
}
