package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class IntakeTest {

  private static final int WINDOW = 20;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch gate = new CountDownLatch(1);
  private final Scheduler scheduler = new Scheduler(threads, Runnable::run, error -> {});
  private final Intake intake = new Intake(threads, 2, error -> {});
  private final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
  private final Lane lane =
      new Lane(scheduler, this::run, 0, () -> new LaneLimits(WINDOW, 40, 1 << 20), intake::wake);

  @AfterEach
  void endTheThreads() {
    gate.countDown();
    threads.shutdown();
  }

  private float[][] run(List<Tokens> batch) {
    await(gate);
    batches.add(batch.size());
    return new float[batch.size()][1];
  }

  /** Texts of ten tokens each. */
  private static class Texts implements Feed {

    final AtomicInteger read = new AtomicInteger();
    final CountDownLatch encoded;
    final CountDownLatch retired = new CountDownLatch(1);
    private final AtomicBoolean beingRead = new AtomicBoolean();
    private final Object group;
    private final int count;
    volatile int left; // what it was left with, of which the last may have been read

    Texts(int count) {
      this(new Object(), count);
    }

    Texts(Object group, int count) {
      this.group = group;
      this.count = count;
      encoded = new CountDownLatch(count);
    }

    @Override
    public Object group() {
      return group;
    }

    @Override
    public Job next() throws EncodeException {
      assertTrue(beingRead.compareAndSet(false, true), "two threads read it");
      try {
        if (read.get() == count) {
          return null;
        }
        read.incrementAndGet();
        return new Job(
            new Tokens(new long[10], 0),
            vector -> encoded.countDown(),
            failure -> {
              throw new AssertionError(failure);
            },
            group,
            0);
      } finally {
        beingRead.set(false);
      }
    }

    @Override
    public void retired(boolean lastTaken) {
      left = count - read.get() + (lastTaken || read.get() == 0 ? 0 : 1);
      retired.countDown();
    }
  }

  @Test
  void aFeedIsReadOnlyAsFarAsThereIsRoom() {
    Texts many = new Texts(10_000);
    intake.add(lane, many);
    while (many.read.get() < WINDOW) {
      Thread.onSpinWait();
    }
    pause();
    // the window, the run that is held, and at most one text for each reader beyond
    assertTrue(many.read.get() <= WINDOW + 4 + 2, many.read + " were read");
    gate.countDown();
    await(many.encoded);
    assertEquals(10_000, lane.stats().snapshot().texts());
    assertEquals(0, lane.stats().snapshot().rejected());
  }

  @Test
  void aSmallFeedDoesNotWaitForABigOne() {
    Texts big = new Texts(1000);
    intake.add(lane, big);
    while (big.read.get() < WINDOW) {
      Thread.onSpinWait();
    }
    Texts small = new Texts(1);
    intake.add(lane, small);
    gate.countDown();
    await(small.encoded);
    assertTrue(big.encoded.getCount() > 0, "the big one was first");
    await(big.encoded);
  }

  @Test
  void aSmallFeedDoesNotWaitForTenThousandOfOneGroup() {
    Object bulk = new Object();
    List<Texts> feeds = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      feeds.add(new Texts(bulk, 1));
      intake.add(lane, feeds.get(i));
    }
    Texts small = new Texts(1);
    intake.add(lane, small);
    while (small.read.get() == 0) { // it is read though the lane is full
      Thread.onSpinWait();
    }
    gate.countDown();
    await(small.encoded);
    assertTrue(feeds.stream().filter(feed -> feed.encoded.getCount() > 0).count() > 5000);
    feeds.forEach(feed -> await(feed.encoded));
  }

  @Test
  void manyFeedsAreAllReadToTheirEnds() {
    gate.countDown();
    List<Texts> feeds = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      feeds.add(new Texts(i % 7));
      intake.add(lane, feeds.get(i));
    }
    feeds.forEach(feed -> await(feed.encoded));
    assertEquals(
        feeds.stream().mapToInt(feed -> feed.count).sum(), lane.stats().snapshot().texts());
  }

  @Test
  void tenThousandFeedsOfOneTextAreNoMoreTroubleThanOneOfTenThousand() {
    List<Texts> feeds = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      feeds.add(new Texts(1));
      intake.add(lane, feeds.get(i));
    }
    assertTrue(lane.waitingTokens() <= (WINDOW + 2) * 10);
    gate.countDown();
    feeds.forEach(feed -> await(feed.encoded));
    assertEquals(10_000, lane.stats().snapshot().texts());
  }

  @Test
  void whatAClosedLaneDidNotTakeGoesElsewhere() {
    Texts texts = new Texts(1000);
    intake.add(lane, texts);
    while (texts.read.get() < WINDOW) {
      Thread.onSpinWait();
    }
    CountDownLatch closed = new CountDownLatch(1);
    lane.close(closed::countDown);
    await(texts.retired);
    gate.countDown();
    await(closed);
    assertEquals(1000, lane.stats().snapshot().texts() + texts.left);
    assertTrue(texts.left > 900, texts.left + " left");
  }

  @Test
  void whereNothingIsReadAnyMoreFeedsGoElsewhere() {
    Intake ended =
        new Intake(
            work -> {
              throw new RejectedExecutionException();
            },
            1,
            error -> {});
    Texts texts = new Texts(3);
    ended.add(lane, texts);
    await(texts.retired);
    assertEquals(3, texts.left);
    assertFalse(batches.contains(1));
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
