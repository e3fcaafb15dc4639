package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.densehook.encode.Feed;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.densehook.encode.LaneLimits;
import org.densehook.encode.Tokens;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.telemetry.metric.MeterRegistry;
import org.elasticsearch.threadpool.DefaultBuiltInExecutorBuilders;
import org.elasticsearch.threadpool.ExecutorBuilder;
import org.elasticsearch.threadpool.ThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On a node's own pools: a pipeline's documents come one by one, those of one bulk as a group. */
@Timeout(60)
class NodeScheduleTest {

  static {
    LogConfigurator.configureESLogging();
  }

  private static final int LENGTH = 256;
  private static final int BULK = 10_000;
  private static final long PUT = 7;

  private final Settings settings = Settings.builder().put("node.name", "n").build();
  private final ThreadPool threadPool =
      new ThreadPool(
          settings,
          MeterRegistry.NOOP,
          new DefaultBuiltInExecutorBuilders(),
          EncoderPools.builders(settings).toArray(ExecutorBuilder<?>[]::new));
  private final NodeSchedule schedule = NodeSchedule.of(settings, threadPool);
  private final Semaphore runs = new Semaphore(0);
  private final List<List<Long>> batches = Collections.synchronizedList(new ArrayList<>());
  private final Lane lane =
      new Lane(
          schedule.documents(),
          this::run,
          0.1,
          () -> new LaneLimits(LaneLimits.WINDOW, LaneLimits.TOKENS_PER_RUN, 1 << 20),
          schedule.intake()::wake);
  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger taken = new AtomicInteger();
  private final AtomicInteger read = new AtomicInteger();
  private volatile boolean putIsRead;
  private final AtomicLong mostWaiting = new AtomicLong();

  @AfterEach
  void endThePools() {
    runs.release(BULK);
    ThreadPool.terminate(threadPool, 10, TimeUnit.SECONDS);
  }

  private float[][] run(List<Tokens> batch) {
    taken.addAndGet(batch.size());
    begun.incrementAndGet();
    runs.acquireUninterruptibly();
    batches.add(batch.stream().map(tokens -> tokens.ids()[0]).toList());
    return new float[batch.size()][1];
  }

  /** One text, as a pipeline has it. */
  private final class OneText implements Feed {

    private final Object bulk;
    private final long first;
    private final CountDownLatch done;
    private boolean given;

    OneText(Object bulk, long first, CountDownLatch done) {
      this.bulk = bulk;
      this.first = first;
      this.done = done;
    }

    @Override
    public Object group() {
      return bulk;
    }

    @Override
    public Job next() {
      if (given) {
        return null;
      }
      given = true;
      long[] ids = new long[LENGTH];
      ids[0] = first;
      read.incrementAndGet();
      if (first == PUT) {
        putIsRead = true;
      }
      mostWaiting.accumulateAndGet(lane.waitingTokens() / LENGTH, Math::max);
      return new Job(
          new Tokens(ids, 0),
          vector -> done.countDown(),
          failure -> {
            throw new AssertionError(failure);
          },
          bulk,
          0);
    }

    @Override
    public void retired(boolean lastTaken) {
      throw new AssertionError("retired");
    }
  }

  private CountDownLatch put(Object bulk, long first, int count) {
    CountDownLatch done = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      schedule.intake().add(lane, new OneText(bulk, first, done));
    }
    return done;
  }

  private long waiting() {
    return lane.waitingTokens() / LENGTH;
  }

  private void untilTheyWait(long texts) {
    while (waiting() < texts) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aPutWaitsForTheRunInFlightAndNoLonger() throws Exception {
    CountDownLatch bulk = put(new Object(), 1, BULK);
    runs.release(3);
    while (begun.get() < 4) { // it is in flight until another is released
      Thread.onSpinWait();
    }
    untilTheyWait(LaneLimits.WINDOW);
    CountDownLatch put = put(new Object(), PUT, 1);
    while (!putIsRead || waiting() + taken.get() != read.get()) { // it waits, full as the window is
      Thread.onSpinWait();
    }
    runs.release(2);
    assertTrue(put.await(20, TimeUnit.SECONDS));
    assertEquals(PUT, batches.get(4).get(0), "it leads the run after the one it found in flight");
    assertTrue(bulk.getCount() > BULK - 30);
    runs.release(BULK);
    assertTrue(bulk.await(30, TimeUnit.SECONDS));
  }

  @Test
  void aBulkOfTenThousandIsHeldAsTextsAndNotAsTokens() throws Exception {
    CountDownLatch bulk = put(new Object(), 1, BULK);
    runs.release(BULK);
    assertTrue(bulk.await(30, TimeUnit.SECONDS));
    assertEquals(BULK, lane.stats().snapshot().texts());
    assertEquals(0, lane.stats().snapshot().rejected());
    int readers = Runtime.getRuntime().availableProcessors();
    assertTrue(
        mostWaiting.get() <= LaneLimits.WINDOW + readers,
        mostWaiting + " texts were held as tokens");
  }

  @Test
  void manyBulksHaveTheirTurnsOneRunEach() throws Exception {
    CountDownLatch first = put(new Object(), 1, 200);
    CountDownLatch second = put(new Object(), 2, 200);
    CountDownLatch third = put(new Object(), 3, 200);
    while (read.get() < 600) { // all of them while the first run is in flight
      Thread.onSpinWait();
    }
    runs.release(BULK);
    assertTrue(first.await(20, TimeUnit.SECONDS));
    assertTrue(second.await(20, TimeUnit.SECONDS));
    assertTrue(third.await(20, TimeUnit.SECONDS));
    for (int turn = 1; turn < 40; turn++) {
      List<Long> leaders = List.of(leader(turn), leader(turn + 1), leader(turn + 2));
      assertEquals(3, leaders.stream().distinct().count(), batches.subList(0, 45).toString());
    }
  }

  private long leader(int run) {
    return batches.get(run).get(0);
  }
}
