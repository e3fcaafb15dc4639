package org.densehook.elasticsearch.service;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.densehook.encode.Content;
import org.densehook.encode.EncodeException;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.densehook.encode.Tokens;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.TaskCancelledException;
import org.elasticsearch.threadpool.ThreadPool;

/** The queries of one encoder: known vectors, the queue, and how long each search waits. */
final class QueryEncoding {

  // tokenising this much takes well under a millisecond, so any thread may do it
  private static final int INLINE_LENGTH = 4096;

  private final EncoderInService encoder;
  private final Lane lane;
  private final EncoderSettings settings;
  private final ThreadPool threadPool;
  private final Executor elsewhere;
  private final QueryVectors vectors;
  private final LongAdder timedOut = new LongAdder();
  private final LongAdder cancelled = new LongAdder();

  QueryEncoding(
      EncoderInService encoder,
      Lane lane,
      EncoderSettings settings,
      ThreadPool threadPool,
      Executor elsewhere) {
    this.encoder = encoder;
    this.lane = lane;
    this.settings = settings;
    this.threadPool = threadPool;
    this.elsewhere = elsewhere;
    this.vectors =
        new QueryVectors(
            (query, listener) -> submit(query, listener.map(EncodeAction.Encoded::row)),
            settings::cacheSize);
  }

  /** A query's vector; the listener is called without the caller's thread context. */
  void embed(
      Content query, TimeValue timeout, CancellableTask task, ActionListener<float[]> listener) {
    TimeValue time = shorter(timeout, settings.queryMaxWait());
    QueryWait wait = new QueryWait(listener);
    wait.within(time, () -> timeOut(query, wait, time));
    try {
      if (query.length() <= INLINE_LENGTH) {
        vectors.get(query, wait);
      } else { // a search may be on a transport thread, which must not tokenise a book
        elsewhere.execute(() -> vectors.get(query, wait));
      }
      if (task != null && !wait.isOver()) {
        task.addListener(() -> cancel(query, wait));
      }
      wait.alarm(threadPool);
    } catch (RejectedExecutionException e) { // the node shuts down
      wait.onFailure(e);
    }
  }

  private static TimeValue shorter(TimeValue timeout, TimeValue most) {
    return timeout == null || timeout.nanos() < 0 || timeout.compareTo(most) > 0 ? most : timeout;
  }

  private void cancel(Content query, QueryWait wait) {
    wait.end(
        () -> {
          cancelled.increment();
          vectors.leave(query, wait);
        },
        new TaskCancelledException("the search was cancelled while it waited for a vector"));
  }

  private void timeOut(Content query, QueryWait wait, TimeValue time) {
    wait.end(
        () -> {
          timedOut.increment();
          vectors.leave(query, wait);
        },
        new EsRejectedExecutionException(
            "a query waited "
                + time
                + " for its vector by encoder ["
                + encoder.name()
                + "]; try again later, or allow it more by the search's timeout and ["
                + EncoderSettings.QUERY_MAX_WAIT.getKey()
                + "]"));
  }

  /** A query's tokens and vector, past what is known; else as {@link #embed}, with no deadline. */
  void encode(Content query, ActionListener<EncodeAction.Encoded> listener) {
    submit(query, listener);
  }

  /** Gives what calls it off while it waits. */
  private Runnable submit(Content query, ActionListener<EncodeAction.Encoded> listener) {
    long started = System.nanoTime();
    Job job;
    boolean taken;
    try {
      Tokens tokens = encoder.read(query);
      job =
          new Job(
              tokens,
              vector -> listener.onResponse(EncodeAction.Encoded.of(tokens, vector)),
              failure -> listener.onFailure(encoder.asStatus(failure)),
              new Object(), // each query has a turn of its own
              started);
      taken = lane.offer(job);
    } catch (Throwable e) { // an Error of a native library must not end the node
      EncoderInService.dieOfExhaustedHeap(e);
      EncodeException failure = EncodeException.of(e);
      if (failure.kind() != EncodeException.Kind.RETIRED) {
        lane.stats().failed(1);
      }
      listener.onFailure(encoder.asStatus(failure));
      return () -> {};
    }
    if (!taken) {
      listener.onFailure(
          new EsRejectedExecutionException(
              "the query queue of encoder ["
                  + encoder.name()
                  + "] is full: "
                  + lane.waitingTokens()
                  + " tokens wait; try again later"));
    }
    return () -> lane.withdraw(job);
  }

  EncoderStatus.Lane status() {
    return EncoderStatus.Lane.of(
        lane.stats().snapshot(),
        lane.waitingTokens(),
        vectors.served(),
        timedOut.sum(),
        cancelled.sum());
  }
}
