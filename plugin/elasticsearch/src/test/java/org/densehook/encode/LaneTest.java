package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LaneTest {

  private static final long POISON = 666;

  private final List<Integer> batchSizes = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch gate = new CountDownLatch(1);
  private final ExecutorService runs = Executors.newCachedThreadPool();
  private final List<Error> fatal = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void endTheThreads() {
    gate.countDown();
    runs.shutdown();
  }

  /** Gives each text its first id as its vector; holds the first run until the gate opens. */
  private float[][] run(List<Tokens> batch) throws EncodeException {
    await(gate);
    if (batch.stream().anyMatch(tokens -> tokens.ids()[0] == POISON)) {
      throw new EncodeException(EncodeException.Kind.RUN, "poison");
    }
    batchSizes.add(batch.size());
    return batch.stream().map(tokens -> new float[] {tokens.ids()[0]}).toArray(float[][]::new);
  }

  private Lane lane(Lane.Runner runner, int queueTokens) {
    return lane(scheduler(Runnable::run), runner, Packing.MAX_PADDING, queueTokens);
  }

  private static Lane lane(
      Scheduler scheduler, Lane.Runner runner, double maxPadding, int queueTokens) {
    LaneLimits limits = new LaneLimits(LaneLimits.WINDOW, 1024, queueTokens);
    return new Lane(scheduler, runner, maxPadding, () -> limits, () -> {});
  }

  private Scheduler scheduler(Executor completions) {
    return new Scheduler(runs, completions, fatal::add);
  }

  private static Tokens tokens(long first, int length) {
    long[] ids = new long[length];
    ids[0] = first;
    return new Tokens(ids, 0);
  }

  @Test
  void givesEveryTextItsOwnVector() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    Map<Integer, float[]> vectors = new ConcurrentHashMap<>();
    CountDownLatch done = new CountDownLatch(500);
    for (int i = 0; i < 500; i++) {
      int number = i;
      offer(lane, tokens(number, 1 + number % 200), vector -> vectors.put(number, vector), done);
    }
    gate.countDown();
    await(done);
    vectors.forEach((number, vector) -> assertArrayEquals(new float[] {number}, vector));
    assertEquals(500, vectors.size());
    LaneStats.Snapshot stats = lane.stats().snapshot();
    assertEquals(500, stats.texts());
    assertEquals(batchSizes.size(), stats.batches());
    assertTrue(stats.paddedTokens() - stats.tokens() <= 0.1 * stats.paddedTokens());
    assertEquals(0, lane.waitingTokens());
  }

  @Test
  void withoutPaddingOnlyTextsOfOneLengthGoOutTogether() throws Exception {
    List<Integer> lengths = Collections.synchronizedList(new ArrayList<>());
    Lane.Runner unmasked =
        batch -> {
          lengths.add(Graph.longest(batch, false));
          return run(batch);
        };
    Lane lane = lane(scheduler(Runnable::run), unmasked, 0, 1 << 20);
    CountDownLatch done = new CountDownLatch(41);
    offer(lane, tokens(0, 10), vector -> {}, done);
    while (lane.waitingTokens() > 0) {
      Thread.onSpinWait(); // until the first is in its run
    }
    for (int i = 1; i <= 40; i++) {
      offer(lane, tokens(i, 10 + i % 2), vector -> {}, done);
    }
    gate.countDown();
    await(done);
    assertEquals(List.of(10, 11, 10), lengths);
    assertEquals(List.of(1, 20, 20), batchSizes);
  }

  @Test
  void whatWaitsDuringARunGoesOutTogether() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    CountDownLatch done = new CountDownLatch(33);
    offer(lane, tokens(0, 10), vector -> {}, done);
    while (lane.waitingTokens() > 0) {
      Thread.onSpinWait(); // until the first is in its run
    }
    for (int i = 1; i <= 32; i++) {
      offer(lane, tokens(i, 10), vector -> {}, done);
    }
    gate.countDown();
    await(done);
    assertEquals(List.of(1, 32), batchSizes);
  }

  @Test
  void onlyTheGuiltyTextFails() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    CountDownLatch done = new CountDownLatch(32);
    List<Integer> failed = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 32; i++) {
      int number = i;
      lane.offer(
          new Job(
              tokens(number == 13 ? POISON : number, 10),
              vector -> done.countDown(),
              failure -> {
                failed.add(number);
                done.countDown();
              }));
    }
    gate.countDown();
    await(done);
    assertEquals(List.of(13), failed);
    assertEquals(1, lane.stats().snapshot().failed());
    assertEquals(31, lane.stats().snapshot().texts());
  }

  @Test
  void anErrorIsATextsFailureAndNotTheLanesEnd() throws Exception {
    Lane lane =
        lane(
            batch -> {
              if (batch.get(0).ids()[0] == POISON) {
                throw new StackOverflowError();
              }
              return new float[][] {{1}};
            },
            1 << 20);
    CountDownLatch failed = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    lane.offer(new Job(tokens(POISON, 1), vector -> {}, failure -> failed.countDown()));
    await(failed);
    offer(lane, tokens(1, 1), vector -> {}, done);
    await(done);
  }

  @Test
  void aReceiverThatThrowsCostsTheOthersNothing() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    List<String> told = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch done = new CountDownLatch(4);
    for (String name : List.of("first", "second", "third")) {
      lane.offer(
          new Job(
              tokens(1, 10),
              vector -> {
                told.add(name);
                done.countDown();
                if (name.equals("second")) {
                  throw new IllegalStateException(name);
                }
              },
              failure -> told.add(name + " failed")));
    }
    gate.countDown();
    while (done.getCount() > 1) {
      Thread.onSpinWait();
    }
    offer(lane, tokens(1, 10), vector -> told.add("later"), done); // the thread lives
    await(done);
    assertEquals(List.of("first", "second", "third", "later"), told);
    assertEquals(4, lane.stats().snapshot().texts());
  }

  @Test
  void whereCompletionsAreRejectedResultsAreStillDeliveredOnce() throws Exception {
    List<String> told = Collections.synchronizedList(new ArrayList<>());
    Lane lane =
        lane(
            scheduler(
                delivery -> {
                  throw new RejectedExecutionException();
                }),
            this::run,
            Packing.MAX_PADDING,
            1 << 20);
    CountDownLatch done = new CountDownLatch(2);
    gate.countDown();
    offer(lane, tokens(1, 10), vector -> told.add("vector"), done);
    lane.offer(
        new Job(
            tokens(POISON, 10),
            vector -> {},
            failure -> {
              told.add(failure.kind() + " " + failure.getMessage());
              done.countDown();
            }));
    await(done);
    assertEquals(Set.of("vector", "RUN poison"), Set.copyOf(told));
    assertEquals(2, told.size());
  }

  @Test
  void whateverARunThrowsIsTheEncodersFault() throws Exception {
    for (Throwable thrown : List.of(new IllegalArgumentException("a"), new LinkageError("b"))) {
      Lane lane =
          lane(
              batch -> {
                throw LaneTest.<RuntimeException>unchecked(thrown);
              },
              1 << 20);
      CompletableFuture<EncodeException> failed = new CompletableFuture<>();
      lane.offer(new Job(tokens(1, 1), vector -> {}, failed::complete));
      assertEquals(EncodeException.Kind.RUN, failed.get(20, TimeUnit.SECONDS).kind());
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void aVectorThatIsNoNumberIsAFailure() throws Exception {
    Lane lane = lane(batch -> new float[][] {{Float.NaN}}, 1 << 20);
    CountDownLatch failed = new CountDownLatch(1);
    lane.offer(new Job(tokens(1, 1), vector -> {}, failure -> failed.countDown()));
    await(failed);
  }

  @Test
  void aFullQueueTurnsTextsAway() throws Exception {
    Lane lane = lane(this::run, 100);
    CountDownLatch done = new CountDownLatch(2);
    offer(lane, tokens(1, 90), vector -> {}, done);
    while (lane.waitingTokens() > 0) {
      Thread.onSpinWait();
    }
    offer(lane, tokens(2, 90), vector -> {}, done);
    assertFalse(lane.offer(new Job(tokens(3, 20), vector -> {}, failure -> {})));
    assertEquals(1, lane.stats().snapshot().rejected());
    gate.countDown();
    await(done);
  }

  @Test
  void aTextLongerThanTheQueueIsTakenByAnEmptyOne() throws Exception {
    Lane lane = lane(this::run, 100);
    CountDownLatch done = new CountDownLatch(1);
    gate.countDown();
    offer(lane, tokens(1, 500), vector -> {}, done);
    await(done);
  }

  @Test
  void aClosedLaneFinishesWhatWaitsAndTakesNothingNew() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    CountDownLatch done = new CountDownLatch(20);
    for (int i = 0; i < 20; i++) {
      offer(lane, tokens(i, 100 + i), vector -> {}, done);
    }
    CountDownLatch closed = new CountDownLatch(1);
    lane.close(closed::countDown);
    EncodeException refusal =
        assertThrows(
            EncodeException.class,
            () -> lane.offer(new Job(tokens(1, 1), vector -> {}, failure -> {})));
    assertEquals(EncodeException.Kind.RETIRED, refusal.kind());
    gate.countDown();
    await(closed);
    assertEquals(0, done.getCount());
  }

  @Test
  void anExhaustedHeapIsTheProcessesEndAndNoTextsFault() throws Exception {
    Error exhausted = new OutOfMemoryError("Java heap space");
    AtomicInteger calls = new AtomicInteger();
    Lane lane =
        lane(
            batch -> {
              await(gate);
              calls.incrementAndGet();
              throw exhausted;
            },
            1 << 20);
    CountDownLatch failed = new CountDownLatch(4);
    for (int i = 0; i < 4; i++) {
      lane.offer(new Job(tokens(1, 10), vector -> {}, failure -> failed.countDown()));
    }
    gate.countDown();
    await(failed);
    assertEquals(exhausted, fatal.get(0));
    assertTrue(calls.get() <= 2, "a run was split and tried again: " + calls.get());
  }

  @Test
  void aNativeLibraryThatLacksMemoryFailsItsTextAlone() throws Exception {
    Lane lane =
        lane(
            batch -> {
              throw new OutOfMemoryError("Cannot reserve 8 bytes of direct buffer memory");
            },
            1 << 20);
    CompletableFuture<EncodeException> failed = new CompletableFuture<>();
    lane.offer(new Job(tokens(1, 1), vector -> {}, failed::complete));
    assertEquals(EncodeException.Kind.RUN, failed.get(20, TimeUnit.SECONDS).kind());
    assertEquals(List.of(), fatal);
  }

  @Test
  void groupsAreEncodedInTurnHoweverManyTextsOneHas() throws Exception {
    List<Long> order = Collections.synchronizedList(new ArrayList<>());
    Lane lane =
        lane(
            batch -> {
              order.add(batch.get(0).ids()[0]);
              return run(batch);
            },
            1 << 20);
    CountDownLatch done = new CountDownLatch(23);
    for (int i = 0; i < 21; i++) { // each fills a run; the first is in one until the gate opens
      put(lane, tokens(1, 1024), "big", done);
    }
    while (order.isEmpty()) {
      Thread.onSpinWait();
    }
    put(lane, tokens(2, 10), "small", done);
    put(lane, tokens(3, 500), "other", done);
    gate.countDown();
    await(done);
    assertEquals(List.of(1L, 2L, 3L, 1L, 1L), order.subList(0, 5));
  }

  @Test
  void lanesOfOneSchedulerRunOneAtATimeAndInTurn() throws Exception {
    Scheduler scheduler = scheduler(Runnable::run);
    AtomicInteger inFlight = new AtomicInteger();
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    List<Lane> lanes = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      Lane.Runner runner =
          batch -> {
            assertEquals(1, inFlight.incrementAndGet());
            order.add(name);
            float[][] vectors = run(batch);
            inFlight.decrementAndGet();
            return vectors;
          };
      lanes.add(lane(scheduler, runner, Packing.MAX_PADDING, 1 << 20));
    }
    CountDownLatch done = new CountDownLatch(12);
    for (int i = 0; i < 10; i++) {
      offer(lanes.get(0), tokens(i, 1024), vector -> {}, done);
    }
    while (order.isEmpty()) {
      Thread.onSpinWait();
    }
    offer(lanes.get(1), tokens(1, 1024), vector -> {}, done);
    offer(lanes.get(1), tokens(2, 1024), vector -> {}, done);
    gate.countDown();
    await(done);
    assertEquals(List.of("a", "b", "a", "b", "a"), order.subList(0, 5));
  }

  @Test
  void aTextThatIsWithdrawnIsNotEncoded() throws Exception {
    Lane lane = lane(this::run, 1 << 20);
    CountDownLatch done = new CountDownLatch(2);
    offer(lane, tokens(0, 10), vector -> {}, done);
    while (lane.waitingTokens() > 0) {
      Thread.onSpinWait();
    }
    Job withdrawn = new Job(tokens(1, 10), vector -> done.countDown(), failure -> done.countDown());
    assertTrue(lane.offer(withdrawn));
    offer(lane, tokens(2, 10), vector -> {}, done);
    assertTrue(lane.withdraw(withdrawn));
    assertFalse(lane.withdraw(withdrawn));
    assertEquals(10, lane.waitingTokens());
    gate.countDown();
    await(done);
    assertEquals(2, lane.stats().snapshot().texts());
  }

  @Test
  void whereNothingRunsAnyMoreWhatWaitsIsTold() throws Exception {
    Scheduler ended =
        new Scheduler(
            run -> {
              throw new RejectedExecutionException();
            },
            Runnable::run,
            fatal::add);
    Lane lane = lane(ended, this::run, Packing.MAX_PADDING, 1 << 20);
    CompletableFuture<EncodeException> failed = new CompletableFuture<>();
    lane.offer(new Job(tokens(1, 1), vector -> {}, failed::complete));
    assertEquals(EncodeException.Kind.RETIRED, failed.get(20, TimeUnit.SECONDS).kind());
  }

  private static void put(Lane lane, Tokens tokens, String group, CountDownLatch done)
      throws EncodeException {
    lane.add(
        new Job(
            tokens,
            vector -> done.countDown(),
            failure -> {
              throw new AssertionError(failure);
            },
            group,
            0));
  }

  private static void offer(
      Lane lane, Tokens tokens, Consumer<float[]> onVector, CountDownLatch done)
      throws EncodeException {
    assertTrue(
        lane.offer(
            new Job(
                tokens,
                vector -> {
                  onVector.accept(vector);
                  done.countDown();
                },
                failure -> {
                  throw new AssertionError(failure);
                })));
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
