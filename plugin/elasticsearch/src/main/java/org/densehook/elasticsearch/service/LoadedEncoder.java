package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.lucene.util.SetOnce;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;
import org.densehook.encode.EncodeException;
import org.densehook.encode.EncoderRuntime;
import org.densehook.encode.EncoderRuntime.LaneName;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.densehook.encode.Tokens;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.threadpool.ThreadPool;

/** An encoder with its two lanes. */
final class LoadedEncoder implements EncoderHandle {

  // tokenising this much takes well under a millisecond, so any thread may do it
  private static final int INLINE_LENGTH = 4096;

  private final EncoderRuntime encoder;
  private final EncoderSettings settings;
  private final ThreadPool threadPool;
  private final Executor elsewhere;
  private final Lane ingest;
  private final Lane query;
  private final QueryVectors queryVectors;

  /** Gives the tokens of a text, once it is to be encoded. */
  @FunctionalInterface
  private interface Read {
    Tokens tokens() throws EncodeException;
  }

  /**
   * Opens the lanes.
   *
   * @param threadPool its generic threads take results and long texts
   */
  LoadedEncoder(EncoderRuntime encoder, EncoderSettings settings, ThreadPool threadPool) {
    this.encoder = encoder;
    this.settings = settings;
    this.threadPool = threadPool;
    this.elsewhere = threadPool.generic();
    String prefix = "densehook[" + encoder.manifest().name() + "]";
    ingest =
        new Lane(
            prefix + "[ingest]",
            batch -> encoder.run(batch, LaneName.INGEST),
            encoder.maxPadding(),
            settings::ingest,
            elsewhere);
    query =
        new Lane(
            prefix + "[query]",
            batch -> encoder.run(batch, LaneName.QUERY),
            encoder.maxPadding(),
            settings::query,
            elsewhere);
    queryVectors =
        new QueryVectors(
            (text, listener) -> submit(Role.QUERY, () -> tokenize(text, Role.QUERY), listener),
            settings::cacheSize);
  }

  @Override
  public String name() {
    return manifest().name();
  }

  @Override
  public String fingerprint() {
    return manifest().fingerprint();
  }

  long modelBytes() {
    return encoder.modelBytes();
  }

  String onnxruntime() {
    return encoder.onnxruntime();
  }

  @Override
  public int dims() {
    return manifest().dims();
  }

  @Override
  public String join(List<String> inputs) {
    return manifest().join(inputs);
  }

  Manifest manifest() {
    return encoder.manifest();
  }

  /** The vector of a document; the listener is called without the caller's thread context. */
  void embedDocument(String text, ActionListener<float[]> listener) {
    submit(Role.DOCUMENT, () -> tokenize(text, Role.DOCUMENT), listener);
  }

  /** The vector of a query; the listener is called without the caller's thread context. */
  void embedQuery(
      String text, TimeValue timeout, CancellableTask task, ActionListener<float[]> listener) {
    QueryWait wait = new QueryWait(listener);
    if (text.length() <= INLINE_LENGTH) {
      queryVectors.get(text, wait);
    } else { // a search may be on a transport thread, which must not tokenise a book
      elsewhere.execute(() -> queryVectors.get(text, wait));
    }
    wait.limit(
        threadPool,
        shorter(timeout, settings.queryMaxWait()),
        name(),
        task,
        () -> {},
        () -> queryVectors.leave(text, wait));
  }

  private static TimeValue shorter(TimeValue timeout, TimeValue most) {
    return timeout == null || timeout.nanos() < 0 || timeout.compareTo(most) > 0 ? most : timeout;
  }

  private Tokens tokenize(String text, Role role) throws EncodeException {
    if (text.length() > settings.textMaxLength()) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "the text has "
              + text.length()
              + " characters, more than ["
              + EncoderSettings.TEXT_MAX_LENGTH.getKey()
              + "] of "
              + settings.textMaxLength()
              + "; cut it into passages");
    }
    return encoder.tokenize(text, role);
  }

  /** A text's tokens and vector, past the cache of queries; the listener as in the others. */
  void encode(String text, Role role, ActionListener<EncodeAction.Encoded> listener) {
    SetOnce<Tokens> read = new SetOnce<>();
    submit(
        role,
        () -> {
          read.set(tokenize(text, role));
          return read.get();
        },
        listener.map(
            vector -> new EncodeAction.Encoded(read.get().ids(), read.get().lost(), vector)));
  }

  /** Gives what calls it off while it waits. */
  private Runnable submit(Role role, Read read, ActionListener<float[]> listener) {
    long started = System.nanoTime();
    Lane lane = role == Role.QUERY ? query : ingest;
    Consumer<EncodeException> onFailure = failure -> listener.onFailure(asStatus(failure));
    Job job;
    boolean taken;
    try {
      job = new Job(read.tokens(), listener::onResponse, onFailure, started);
      taken = lane.offer(job);
    } catch (Throwable e) { // an Error of a native library must not end the node
      listener.onFailure(asStatus(e));
      return () -> {};
    }
    if (!taken) {
      listener.onFailure(
          new EsRejectedExecutionException(
              "the "
                  + role
                  + " queue of encoder ["
                  + name()
                  + "] is full: "
                  + lane.waitingTokens()
                  + " tokens wait; try again later"));
    }
    return () -> lane.withdraw(job);
  }

  /**
   * A failure as clients are told it; that this encoder is retired stays an EncodeException, for
   * {@link EncoderService} to see.
   */
  private Exception asStatus(Throwable failure) {
    EncodeException known = EncodeException.of(failure);
    return switch (known.kind()) {
      case TEXT -> status(RestStatus.BAD_REQUEST, known);
      case RUN -> status(RestStatus.INTERNAL_SERVER_ERROR, known);
      case RETIRED -> known;
    };
  }

  private ElasticsearchStatusException status(RestStatus status, EncodeException failure) {
    return new ElasticsearchStatusException(
        "encoder [{}]: {}", status, failure, name(), failure.getMessage());
  }

  EncoderStatus.Lane laneStatus(LaneName name) {
    Lane lane = name == LaneName.INGEST ? ingest : query;
    long served = name == LaneName.INGEST ? 0 : queryVectors.served();
    return EncoderStatus.Lane.of(lane.stats().snapshot(), lane.waitingTokens(), served);
  }

  /** Takes nothing new, finishes what waits, then frees the native memory. */
  void retire() {
    AtomicInteger open = new AtomicInteger(2);
    Runnable oneClosed =
        () -> {
          if (open.decrementAndGet() == 0) {
            encoder.close();
          }
        };
    ingest.close(oneClosed);
    query.close(oneClosed);
  }
}
