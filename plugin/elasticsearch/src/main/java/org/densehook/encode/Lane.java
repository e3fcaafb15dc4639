package org.densehook.encode;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A bounded queue of texts and the thread that encodes them.
 *
 * <p>Batches form by back-pressure: while one run is in flight others wait, and the next run is
 * packed from what waits by then. There is no fixed delay. Each run has the oldest text in it, and
 * those of the window that are about as long, so that nothing starves and little is padded.
 */
public final class Lane {

  /** What runs a batch: float32 [batch, dims] for the tokens of a run. */
  @FunctionalInterface
  public interface Runner {
    float[][] run(List<Tokens> batch) throws EncodeException;
  }

  private final Runner runner;
  private final double maxPadding;
  private final Supplier<LaneLimits> limits;
  private final Executor completions;
  private final LaneStats stats = new LaneStats();
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<Job> waiting = new LinkedHashSet<>();
  private long waitingTokens;
  private boolean closing;
  private Runnable whenDone = () -> {};

  /**
   * Starts the lane.
   *
   * @param maxPadding the share of a run that may be padding
   * @param completions where jobs get their results, a run at a time: never the encoding thread
   */
  public Lane(
      String threadName,
      Runner runner,
      double maxPadding,
      Supplier<LaneLimits> limits,
      Executor completions) {
    this.runner = runner;
    this.maxPadding = maxPadding;
    this.limits = limits;
    this.completions = completions;
    thread = new Thread(this::work, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  /** Takes a text in, or gives false when the queue is full. */
  public boolean offer(Job job) throws EncodeException {
    lock.lock();
    try {
      if (closing) {
        throw EncodeException.retired();
      }
      int tokens = job.tokens().length();
      if (!waiting.isEmpty() && waitingTokens + tokens > limits.get().queueTokens()) {
        return false;
      }
      waiting.add(job);
      waitingTokens += tokens;
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes a text back that still waits; neither of its receivers is called then. */
  public void withdraw(Job job) {
    lock.lock();
    try {
      if (waiting.remove(job)) {
        waitingTokens -= job.tokens().length();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Tokens that wait. */
  public long waitingTokens() {
    lock.lock();
    try {
      return waitingTokens;
    } finally {
      lock.unlock();
    }
  }

  public LaneStats stats() {
    return stats;
  }

  private void work() {
    for (List<Job> run = take(); !run.isEmpty(); run = take()) {
      encode(run);
    }
    whenDone.run();
  }

  /** The next run; waits for one, empty when the lane is closed and everything is done. */
  private List<Job> take() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closing) {
        changed.awaitUninterruptibly();
      }
      List<Job> run = next(limits.get());
      for (Job job : run) {
        waiting.remove(job);
        waitingTokens -= job.tokens().length();
      }
      return run;
    } finally {
      lock.unlock();
    }
  }

  private List<Job> next(LaneLimits limits) {
    List<Job> window = new ArrayList<>();
    for (Iterator<Job> i = waiting.iterator(); i.hasNext() && window.size() < limits.window(); ) {
      window.add(i.next());
    }
    if (window.size() < 2) {
      return window;
    }
    int[] lengths = window.stream().mapToInt(job -> job.tokens().length()).toArray();
    List<Integer> withOldest =
        Packing.pack(lengths, limits.tokensPerRun(), maxPadding).stream()
            .filter(run -> run.contains(0))
            .findFirst()
            .orElseThrow();
    return withOldest.stream().map(window::get).toList();
  }

  /** Encodes a run; one that fails is split until only the guilty text fails. */
  private void encode(List<Job> run) {
    float[][] vectors;
    try {
      vectors = runner.run(run.stream().map(Job::tokens).toList());
    } catch (Throwable failure) { // an Error too: this thread must live, and the text be told
      if (run.size() == 1) {
        complete(() -> run.get(0).onFailure().accept(EncodeException.of(failure)));
      } else {
        encode(run.subList(0, run.size() / 2));
        encode(run.subList(run.size() / 2, run.size()));
      }
      return;
    }
    stats.ran(run);
    complete(() -> deliver(run, vectors));
  }

  private static void deliver(List<Job> run, float[][] vectors) {
    Throwable first = null;
    for (int i = 0; i < vectors.length; i++) {
      try {
        if (isFinite(vectors[i])) {
          run.get(i).onVector().accept(vectors[i]);
        } else {
          run.get(i).onFailure().accept(notFinite());
        }
      } catch (RuntimeException | Error e) { // the other receivers get theirs all the same
        first = first == null ? e : first;
      }
    }
    if (first instanceof Error error) {
      throw error;
    }
    if (first instanceof RuntimeException exception) {
      throw exception;
    }
  }

  private static EncodeException notFinite() {
    return new EncodeException(EncodeException.Kind.TEXT, "its vector is not finite");
  }

  private static boolean isFinite(float[] vector) {
    for (float value : vector) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  /** Hands a delivery over; it begins once, wherever, and what it throws does not come here. */
  private void complete(Runnable delivery) {
    AtomicBoolean begun = new AtomicBoolean();
    Runnable once =
        () -> {
          if (begun.compareAndSet(false, true)) {
            delivery.run();
          }
        };
    try {
      completions.execute(once);
    } catch (Throwable rejected) { // or thrown by a delivery that was carried out at once
      try {
        once.run(); // where it was rejected the node shuts down: here or never
      } catch (Throwable receivers) {
        // its own fault, of which there is nobody else to tell; this thread must live
      }
    }
  }

  /**
   * Turns new texts away, encodes those that wait, and ends; does not wait for the end.
   *
   * @param afterwards called when nothing is in flight any more
   */
  public void close(Runnable afterwards) {
    lock.lock();
    try {
      closing = true;
      whenDone = afterwards;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
