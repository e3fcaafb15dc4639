package org.densehook.elasticsearch.service;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.densehook.bundle.Cross;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cutter;
import org.densehook.chunk.LongText;
import org.densehook.encode.EncodeException;
import org.densehook.encode.EncoderRuntime;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.densehook.encode.Tokens;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.TaskCancelledException;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * The pairs that searches have one encoder score. Those of a search are read together and go into
 * the lane at once, so that they are packed well from the first run on; with those of others they
 * take turns. What is not scored when time runs out is taken back.
 */
final class PairScoring {

  private static final int LEAST_CHUNK = 8; // tokens, as of any chunk

  private final EncoderInService encoder;
  private final EncoderRuntime runtime;
  private final Lane lane;
  private final EncoderSettings settings;
  private final ThreadPool threadPool;
  private final Executor readers;
  private final LongAdder timedOut = new LongAdder();
  private final LongAdder cancelled = new LongAdder();

  PairScoring(
      EncoderInService encoder,
      EncoderRuntime runtime,
      Lane lane,
      EncoderSettings settings,
      ThreadPool threadPool) {
    this.encoder = encoder;
    this.runtime = runtime;
    this.lane = lane;
    this.settings = settings;
    this.threadPool = threadPool;
    readers = EncoderPools.withoutContext(threadPool, EncoderPools.READ);
  }

  /** Scores pairs; the listener is called without the caller's thread context. */
  void score(
      PairsToScore pairs,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<PairScores> listener) {
    boolean bounded = runtime.manifest().part() instanceof Cross cross && cross.sigmoid();
    TimeValue most = settings.rerankMaxWait();
    TimeValue time =
        timeout == null || timeout.nanos() < 0 || timeout.compareTo(most) > 0 ? most : timeout;
    PairWait wait = new PairWait(pairs.texts().size(), bounded, lane, listener);
    try {
      wait.alarm(threadPool.schedule(() -> timeOut(wait, time), time, threadPool.generic()));
      readers.execute(() -> read(pairs, wait));
      if (task != null) {
        task.addListener(() -> cancel(wait));
      }
    } catch (RejectedExecutionException e) { // the node shuts down
      wait.fail(e);
    }
  }

  private void read(PairsToScore pairs, PairWait wait) {
    long started = System.nanoTime();
    try {
      Tokens query = encoder.queryOfPair(pairs.query());
      List<Job> jobs = new ArrayList<>();
      for (int document = 0; document < pairs.texts().size() && !wait.isOver(); document++) {
        List<String> texts = pairs.texts().get(document);
        try {
          if (pairs.chunks() > 0 && texts.size() == 1) {
            texts = chunks(query, texts.get(0), pairs.chunks());
          }
          for (int text = 0; text < texts.size(); text++) {
            Tokens pair = runtime.pair(query, encoder.textOfPair(texts.get(text)));
            jobs.add(job(pair, document, text, wait, started));
          }
        } catch (Exception e) {
          failed(e, wait);
        }
      }
      if (!wait.expect(jobs)) {
        return;
      }
      if (!lane.offerAll(jobs)) {
        wait.fail(full());
      }
    } catch (Throwable e) { // an Error of a native library must not end the node
      EncoderInService.dieOfExhaustedHeap(e);
      EncodeException failure = EncodeException.of(e);
      if (failure.kind() != EncodeException.Kind.RETIRED) {
        lane.stats().failed(pairs.texts().size());
      }
      wait.fail(encoder.asStatus(failure));
    }
  }

  /** Of one document, which others need not suffer for, unless the encoder itself is gone. */
  private void failed(Exception e, PairWait wait) throws EncodeException {
    EncodeException failure = EncodeException.of(e);
    if (failure.kind() == EncodeException.Kind.RETIRED) {
      throw failure;
    }
    lane.stats().failed(1);
    wait.failed(encoder.asStatus(failure));
  }

  private Job job(Tokens pair, int document, int text, PairWait wait, long started) {
    return new Job(
        pair,
        score -> wait.scored(document, text, score[0]),
        failure -> {
          if (failure.kind() == EncodeException.Kind.RETIRED) {
            wait.fail(failure);
          } else {
            wait.missed(encoder.asStatus(failure));
          }
        },
        wait, // a search's pairs have one turn among those of others
        started);
  }

  /** A text's first chunks, each as long as the encoder reads beside the query. */
  private List<String> chunks(Tokens query, String text, int most) throws Exception {
    int longest = runtime.roomBeside(query);
    if (longest < Math.max(LEAST_CHUNK, 2 * sizes(List.of(""))[0])) {
      return List.of(text);
    }
    encoder.requireLength(text);
    ChunkRule rule =
        new ChunkRule(ChunkRule.BY_SENTENCE, longest, 0, most, ChunkRule.CUT, List.of());
    List<String> chunks =
        Cutter.cut(LongText.of(text), rule, this::sizes).chunks().stream()
            .map(Chunk::content)
            .toList();
    return chunks.isEmpty() ? List.of(text) : chunks;
  }

  private int[] sizes(List<String> texts) throws EncodeException {
    int[] sizes = new int[texts.size()];
    for (int i = 0; i < sizes.length; i++) {
      Tokens tokens = runtime.textOfPair(texts.get(i));
      sizes[i] = tokens.length() + tokens.lost();
    }
    return sizes;
  }

  private void timeOut(PairWait wait, TimeValue time) {
    boolean ended =
        wait.end(
            new EsRejectedExecutionException(
                "a rerank waited "
                    + time
                    + " for its scores by encoder ["
                    + encoder.name()
                    + "]; rerank fewer documents, or allow it more by the search's timeout and ["
                    + EncoderSettings.RERANK_MAX_WAIT.getKey()
                    + "]"));
    if (ended) {
      timedOut.increment();
    }
  }

  private void cancel(PairWait wait) {
    if (wait.fail(
        new TaskCancelledException("the search was cancelled while it waited for scores"))) {
      cancelled.increment();
    }
  }

  private EsRejectedExecutionException full() {
    return new EsRejectedExecutionException(
        "the rerank queue of encoder ["
            + encoder.name()
            + "] is full: "
            + lane.waitingTokens()
            + " tokens wait; try again later");
  }

  EncoderStatus.Lane status() {
    return EncoderStatus.Lane.of(
        lane.stats().snapshot(), lane.waitingTokens(), 0, timedOut.sum(), cancelled.sum());
  }
}
