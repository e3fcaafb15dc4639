package org.densehook.elasticsearch.service;

import java.util.List;
import org.densehook.encode.LaneLimits;
import org.densehook.image.ImageLimits;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Setting.Property;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.unit.ByteSizeValue;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.core.TimeValue;

/** The node's settings for its encoders; those of the lanes may be changed while it runs. */
public final class EncoderSettings {

  /** Threads of one run, of documents or of queries. */
  public static final Setting<Integer> THREADS =
      new Setting<>(
          "densehook.threads",
          settings -> Integer.toString(EsExecutors.allocatedProcessors(settings)),
          value -> Setting.parseInt(value, 1, "densehook.threads"),
          Property.NodeScope);

  /** Documents that are read ahead of the runs, and sorted together by length. */
  public static final Setting<Integer> INGEST_WINDOW =
      dynamic("densehook.ingest.window", LaneLimits.WINDOW);

  /** Padded tokens of one run of documents. */
  public static final Setting<Integer> INGEST_TOKENS_PER_RUN =
      dynamic("densehook.ingest.tokens_per_run", LaneLimits.TOKENS_PER_RUN);

  /** Tokens of documents that are read ahead of the runs; the others wait with their bulk. */
  public static final Setting<Integer> INGEST_QUEUE_TOKENS =
      dynamic("densehook.ingest.queue_tokens", 1 << 20);

  /** Padded tokens of one run of queries: those that wait at the same time run together. */
  public static final Setting<Integer> QUERY_TOKENS_PER_RUN =
      dynamic("densehook.query.tokens_per_run", 512);

  /** Tokens of queries that may wait; beyond them a search answers 429. */
  public static final Setting<Integer> QUERY_QUEUE_TOKENS =
      dynamic("densehook.query.queue_tokens", 1 << 16);

  /** How long a query may wait for its vector; then its search answers 429. */
  public static final Setting<TimeValue> QUERY_MAX_WAIT =
      Setting.timeSetting(
          "densehook.query.max_wait",
          TimeValue.timeValueSeconds(10),
          TimeValue.timeValueMillis(1),
          Property.NodeScope,
          Property.Dynamic);

  /** Query vectors kept for repeated texts; 0 keeps none. */
  public static final Setting<Integer> QUERY_CACHE_SIZE =
      Setting.intSetting(
          "densehook.query.cache_size", 1000, 0, Property.NodeScope, Property.Dynamic);

  /** Padded tokens of one run of pairs that searches have scored. */
  public static final Setting<Integer> RERANK_TOKENS_PER_RUN =
      dynamic("densehook.rerank.tokens_per_run", LaneLimits.TOKENS_PER_RUN);

  /** Tokens of pairs that may wait; beyond them a rerank fails, or falls back as it asks. */
  public static final Setting<Integer> RERANK_QUEUE_TOKENS =
      dynamic("densehook.rerank.queue_tokens", 1 << 20);

  /** How long a rerank may wait for its scores; what has none then falls back as it asks. */
  public static final Setting<TimeValue> RERANK_MAX_WAIT =
      Setting.timeSetting(
          "densehook.rerank.max_wait",
          TimeValue.timeValueSeconds(10),
          TimeValue.timeValueMillis(1),
          Property.NodeScope,
          Property.Dynamic);

  /** How many documents a search may have reranked. */
  public static final Setting<Integer> RERANK_MAX_WINDOW =
      Setting.intSetting(
          "densehook.rerank.max_window", 1000, 1, 10_000, Property.NodeScope, Property.Dynamic);

  /** Longest text, in UTF-16 code units, that is tokenised; a longer one is refused. */
  public static final Setting<Integer> TEXT_MAX_LENGTH =
      dynamic("densehook.text.max_length", 1_000_000);

  // a decoded image has up to 4 bytes of the heap for each pixel, and 3 beside it, of which there
  // may be half as many; one of a document and one of a query are in work at a time
  private static final int HEAP_OF_A_PIXEL = 16;

  /** Pixels of the largest image that is decoded; a larger one is refused by its header. */
  public static final Setting<Integer> IMAGE_MAX_PIXELS =
      dynamic(
          ImageLimits.PIXELS_SETTING,
          (int)
              Math.min(
                  ImageLimits.DEFAULT.pixels(),
                  Runtime.getRuntime().maxMemory() / HEAP_OF_A_PIXEL));

  /** Size of the largest image file. */
  public static final Setting<ByteSizeValue> IMAGE_MAX_BYTES =
      Setting.byteSizeSetting(
          ImageLimits.BYTES_SETTING,
          ByteSizeValue.ofBytes(ImageLimits.DEFAULT.bytes()),
          Property.NodeScope,
          Property.Dynamic);

  private final int threads;
  private volatile LaneLimits ingest;
  private volatile LaneLimits query;
  private volatile LaneLimits rerank;
  private volatile TimeValue queryMaxWait;
  private volatile TimeValue rerankMaxWait;
  private volatile int rerankMaxWindow;
  private volatile int cacheSize;
  private volatile int textMaxLength;
  private volatile int imageMaxPixels;
  private volatile ByteSizeValue imageMaxBytes;

  EncoderSettings(Settings settings, ClusterSettings dynamic) {
    threads = THREADS.get(settings);
    dynamic.initializeAndWatch(QUERY_MAX_WAIT, wait -> queryMaxWait = wait);
    dynamic.initializeAndWatch(RERANK_MAX_WAIT, wait -> rerankMaxWait = wait);
    dynamic.initializeAndWatch(RERANK_MAX_WINDOW, window -> rerankMaxWindow = window);
    dynamic.initializeAndWatch(QUERY_CACHE_SIZE, size -> cacheSize = size);
    dynamic.initializeAndWatch(TEXT_MAX_LENGTH, length -> textMaxLength = length);
    dynamic.initializeAndWatch(IMAGE_MAX_PIXELS, pixels -> imageMaxPixels = pixels);
    dynamic.initializeAndWatch(IMAGE_MAX_BYTES, bytes -> imageMaxBytes = bytes);
    readLanes(settings);
    dynamic.addSettingsUpdateConsumer(
        this::readLanes,
        List.of(
            INGEST_WINDOW,
            INGEST_TOKENS_PER_RUN,
            INGEST_QUEUE_TOKENS,
            QUERY_TOKENS_PER_RUN,
            QUERY_QUEUE_TOKENS,
            RERANK_TOKENS_PER_RUN,
            RERANK_QUEUE_TOKENS));
  }

  /** All of them, as the node registers them. */
  public static List<Setting<?>> all() {
    return List.of(
        THREADS,
        INGEST_WINDOW,
        INGEST_TOKENS_PER_RUN,
        INGEST_QUEUE_TOKENS,
        QUERY_TOKENS_PER_RUN,
        QUERY_QUEUE_TOKENS,
        QUERY_MAX_WAIT,
        QUERY_CACHE_SIZE,
        RERANK_TOKENS_PER_RUN,
        RERANK_QUEUE_TOKENS,
        RERANK_MAX_WAIT,
        RERANK_MAX_WINDOW,
        TEXT_MAX_LENGTH,
        IMAGE_MAX_PIXELS,
        IMAGE_MAX_BYTES);
  }

  private void readLanes(Settings settings) {
    ingest =
        new LaneLimits(
            INGEST_WINDOW.get(settings),
            INGEST_TOKENS_PER_RUN.get(settings),
            INGEST_QUEUE_TOKENS.get(settings));
    query =
        new LaneLimits(
            LaneLimits.WINDOW,
            QUERY_TOKENS_PER_RUN.get(settings),
            QUERY_QUEUE_TOKENS.get(settings));
    rerank =
        new LaneLimits(
            LaneLimits.WINDOW,
            RERANK_TOKENS_PER_RUN.get(settings),
            RERANK_QUEUE_TOKENS.get(settings));
  }

  int threads() {
    return threads;
  }

  LaneLimits ingest() {
    return ingest;
  }

  LaneLimits query() {
    return query;
  }

  LaneLimits rerank() {
    return rerank;
  }

  TimeValue rerankMaxWait() {
    return rerankMaxWait;
  }

  int rerankMaxWindow() {
    return rerankMaxWindow;
  }

  TimeValue queryMaxWait() {
    return queryMaxWait;
  }

  int cacheSize() {
    return cacheSize;
  }

  int textMaxLength() {
    return textMaxLength;
  }

  ImageLimits imageLimits() {
    return new ImageLimits(imageMaxBytes.getBytes(), imageMaxPixels);
  }

  private static Setting<Integer> dynamic(String name, int byDefault) {
    return Setting.intSetting(name, byDefault, 1, Property.NodeScope, Property.Dynamic);
  }
}
