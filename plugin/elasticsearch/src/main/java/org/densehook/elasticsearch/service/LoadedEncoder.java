package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;
import org.densehook.encode.EncodeException;
import org.densehook.encode.Encoder;
import org.densehook.encode.Encoder.LaneName;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.densehook.encode.Tokens;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.rest.RestStatus;

/** An encoder with its two lanes. */
final class LoadedEncoder implements ServingEncoder {

  // tokenising this much takes well under a millisecond, so any thread may do it
  private static final int INLINE_LENGTH = 4096;

  private final Encoder encoder;
  private final EncoderSettings settings;
  private final Executor elsewhere;
  private final Lane ingest;
  private final Lane query;
  private final QueryVectors queryVectors;

  /**
   * Opens the lanes.
   *
   * @param elsewhere threads of Elasticsearch's, for results and for long texts
   */
  LoadedEncoder(Encoder encoder, EncoderSettings settings, Executor elsewhere) {
    this.encoder = encoder;
    this.settings = settings;
    this.elsewhere = elsewhere;
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
            (text, listener) -> submit(query, text, Role.QUERY, listener), settings::cacheSize);
  }

  @Override
  public String name() {
    return manifest().name();
  }

  @Override
  public String fingerprint() {
    return manifest().fingerprint();
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
    submit(ingest, text, Role.DOCUMENT, listener);
  }

  /** The vector of a query; the listener is called without the caller's thread context. */
  void embedQuery(String text, ActionListener<float[]> listener) {
    if (text.length() <= INLINE_LENGTH) {
      queryVectors.get(text, listener);
    } else { // a search may be on a transport thread, which must not tokenise a book
      elsewhere.execute(() -> queryVectors.get(text, listener));
    }
  }

  /** What the model reads for a text. */
  Tokens tokenize(String text, Role role) throws EncodeException {
    if (text.length() > settings.textMaxLength()) {
      throw new EncodeException(
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

  private void submit(Lane lane, String text, Role role, ActionListener<float[]> listener) {
    long started = System.nanoTime();
    Consumer<Exception> onFailure = failure -> listener.onFailure(asStatus(failure));
    try {
      Job job = new Job(tokenize(text, role), listener::onResponse, onFailure, started);
      if (!lane.offer(job)) {
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
    } catch (EncodeException e) {
      onFailure.accept(e);
    } catch (Throwable e) { // an Error of a native library must not end the node
      onFailure.accept(new EncodeException("the encoder fails: " + e));
    }
  }

  private Exception asStatus(Exception failure) {
    return failure instanceof EncodeException
        ? new ElasticsearchStatusException(
            "encoder [{}]: {}", RestStatus.BAD_REQUEST, failure, name(), failure.getMessage())
        : failure;
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
