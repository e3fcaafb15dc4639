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
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Numbers;

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
          "attention_mask", (tokens, place) -> tokens.isAttended(place) ? 1 : 0,
          "token_mask", (tokens, place) -> tokens.hasVector(place) ? 1 : 0,
          "token_type_ids", Tokens::type,
          "pooling_mask", (tokens, place) -> place < tokens.unpooled() ? 0 : 1);

  private static final String SPAN_MASK = "span_mask";

  /** Inputs that are not filled token by token with whole numbers. */
  private static final Set<String> OTHERS = Set.of(SPAN_MASK, Numbers.INPUT);

  private static final Set<Kind> OWN = Set.of();

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Manifest manifest;
  private final Output output;

  Graph(Path model, Manifest manifest, int threads) throws BundleException {
    Set<String> unknown = new TreeSet<>(manifest.inputs());
    unknown.removeAll(INPUTS.keySet());
    unknown.removeAll(OTHERS);
    if (!unknown.isEmpty()) {
      throw new BundleException("graph inputs " + unknown + " are not known to this plugin");
    }
    this.manifest = manifest;
    output = Output.BY_KIND.get(manifest.kind());
    session = open(environment, model, threads);
  }

  /** A session on so many threads. */
  static OrtSession open(OrtEnvironment environment, Path model, int threads)
      throws BundleException {
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
      return environment.createSession(model.toString(), options);
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
        feed.put(
            input,
            switch (input) {
              case SPAN_MASK -> spans(batch, longest);
              case Numbers.INPUT -> numbers(batch, longest);
              default ->
                  OnnxTensor.createTensor(
                      environment, filled(batch, longest, INPUTS.get(input)), shape);
            });
      }
      Set<Kind> kinds = wanted(batch);
      return kinds.equals(OWN) ? own(feed, batch) : joined(feed, batch, kinds);
    } catch (OrtException e) {
      throw new EncodeException(
          EncodeException.Kind.RUN, "the encoder cannot run it: " + e.getMessage(), e);
    } finally {
      feed.values().forEach(OnnxTensor::close);
    }
  }

  /** What is wanted of a batch of texts; none where it is what the encoder's own kind gives. */
  private Set<Kind> wanted(List<Tokens> batch) {
    Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    batch.forEach(tokens -> kinds.addAll(ofText(tokens)));
    return kinds.equals(Set.of(manifest.kind())) ? OWN : kinds;
  }

  private Set<Kind> ofText(Tokens tokens) {
    return tokens.kinds().isEmpty() ? Set.of(manifest.kind()) : tokens.kinds();
  }

  private float[][] own(Map<String, OnnxTensor> feed, List<Tokens> batch)
      throws OrtException, EncodeException {
    try (OrtSession.Result result = session.run(feed, Set.of(manifest.output()))) {
      FloatBuffer given = ((OnnxTensor) result.get(0)).getFloatBuffer();
      return manifest.knowsSpans()
          ? ofTexts(output.rows(given, batch.size() * mostVectors(batch), manifest), batch)
          : output.rows(given, batch.size(), manifest);
    }
  }

  /** Of each text the rows of the kinds that are wanted of it, as one; others are not computed. */
  private float[][] joined(Map<String, OnnxTensor> feed, List<Tokens> batch, Set<Kind> kinds)
      throws OrtException, EncodeException {
    Map<Kind, String> outputs = new EnumMap<>(Kind.class);
    kinds.forEach(kind -> outputs.put(kind, manifest.ofKind(kind).output()));
    Map<Kind, float[][]> rows = new EnumMap<>(Kind.class);
    try (OrtSession.Result result = session.run(feed, Set.copyOf(outputs.values()))) {
      for (Map.Entry<Kind, String> each : outputs.entrySet()) {
        FloatBuffer given =
            ((OnnxTensor) result.get(each.getValue()).orElseThrow()).getFloatBuffer();
        Output reading = Output.BY_KIND.get(each.getKey());
        rows.put(each.getKey(), reading.rows(given, batch.size(), manifest.ofKind(each.getKey())));
      }
    }
    float[][] joined = new float[batch.size()][];
    for (int text = 0; text < joined.length; text++) {
      joined[text] = Joined.of(ofText(batch.get(text)), rows, text);
    }
    return joined;
  }

  /** 1 for the tokens of each part: int64 [batch, parts, tokens]. */
  private OnnxTensor spans(List<Tokens> batch, int longest) throws OrtException {
    int most = mostVectors(batch);
    LongBuffer content = zeros(batch.size() * most * longest);
    for (int row = 0; row < batch.size(); row++) {
      Tokens tokens = batch.get(row);
      int[] whole = {tokens.unpooled(), tokens.length()};
      List<int[]> spans = tokens.spans().isEmpty() ? List.of(whole) : tokens.spans();
      for (int span = 0; span < spans.size(); span++) {
        int start = (row * most + span) * longest;
        for (int at = spans.get(span)[0]; at < spans.get(span)[1]; at++) {
          content.put(start + at, 1);
        }
      }
    }
    return OnnxTensor.createTensor(environment, content, new long[] {batch.size(), most, longest});
  }

  /** The numbers of each list, 0 where it has no more: float32 [batch, numbers]. */
  private OnnxTensor numbers(List<Tokens> batch, int longest) throws OrtException {
    FloatBuffer content =
        ByteBuffer.allocateDirect(batch.size() * longest * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int row = 0; row < batch.size(); row++) {
      long[] bits = batch.get(row).ids();
      for (int at = 0; at < bits.length; at++) {
        content.put(row * longest + at, Float.intBitsToFloat((int) bits[at]));
      }
    }
    return OnnxTensor.createTensor(environment, content, new long[] {batch.size(), longest});
  }

  private static int mostVectors(List<Tokens> batch) {
    return batch.stream().mapToInt(Tokens::vectors).max().orElse(1);
  }

  /** The rows of each text, one behind the other; those that none of its parts has are left out. */
  private static float[][] ofTexts(float[][] rows, List<Tokens> batch) {
    int most = mostVectors(batch);
    float[][] texts = new float[batch.size()][];
    for (int text = 0; text < texts.length; text++) {
      int vectors = batch.get(text).vectors();
      int dims = rows[0].length;
      texts[text] = new float[vectors * dims];
      for (int each = 0; each < vectors; each++) {
        System.arraycopy(rows[text * most + each], 0, texts[text], each * dims, dims);
      }
    }
    return texts;
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
    LongBuffer content = zeros(batch.size() * longest);
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

  private static LongBuffer zeros(int count) {
    return ByteBuffer.allocateDirect(count * Long.BYTES)
        .order(ByteOrder.nativeOrder())
        .asLongBuffer();
  }

  @Override
  public void close() {
    close(session);
  }

  static void close(OrtSession session) {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("the ONNX session does not close", e);
    }
  }
}
