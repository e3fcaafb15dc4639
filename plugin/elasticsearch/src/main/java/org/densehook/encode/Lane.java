package org.densehook.encode;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The texts that wait for one encoder.
 *
 * <p>Each run is led by the oldest text of the group whose turn it is, and takes those of the
 * window that are about as long, so that no group waits for all of another and little is padded. A
 * group that comes while another's run is in flight has its turn before that one's next.
 */
public final class Lane {

  // the share of the window that groups may have beyond it, with a text each
  private static final int FIRST_TEXTS = 8;

  /** What runs a batch: float32 [batch, dims] for the tokens of a run. */
  @FunctionalInterface
  public interface Runner {
    float[][] run(List<Tokens> batch) throws EncodeException;
  }

  private final Scheduler scheduler;
  private final Runner runner;
  private final double maxPadding;
  private final Supplier<LaneLimits> limits;
  private final Runnable onRoom;
  private final LaneStats stats = new LaneStats();

  // the scheduler guards what follows
  private final Set<Job> waiting = new LinkedHashSet<>();
  private final Map<Object, Set<Job>> groups = new LinkedHashMap<>(); // in turn, next first
  private Object led; // the group of the last run, which goes behind the others before the next
  private long waitingTokens;
  private boolean inRun;
  private boolean closing;
  private Runnable afterwards = () -> {};

  /**
   * Opens the lane.
   *
   * @param maxPadding the share of a run that may be padding
   * @param onRoom called, on the encoding thread, when texts have left the lane for a run
   */
  public Lane(
      Scheduler scheduler,
      Runner runner,
      double maxPadding,
      Supplier<LaneLimits> limits,
      Runnable onRoom) {
    this.scheduler = scheduler;
    this.runner = runner;
    this.maxPadding = maxPadding;
    this.limits = limits;
    this.onRoom = onRoom;
    scheduler.open(this);
  }

  /** Takes a text in, or gives false when the queue is full. */
  public boolean offer(Job job) throws EncodeException {
    synchronized (scheduler) {
      if (!closing
          && !waiting.isEmpty()
          && waitingTokens + job.tokens().length() > limits.get().queueTokens()) {
        stats.rejected();
        return false;
      }
      put(job);
    }
    scheduler.wake();
    return true;
  }

  /**
   * Takes texts in that are packed together, all of them or, when the queue is full, none and gives
   * false.
   */
  public boolean offerAll(List<Job> jobs) throws EncodeException {
    synchronized (scheduler) {
      long tokens = jobs.stream().mapToLong(job -> job.tokens().length()).sum();
      if (!closing && !waiting.isEmpty() && waitingTokens + tokens > limits.get().queueTokens()) {
        jobs.forEach(job -> stats.rejected());
        return false;
      }
      for (Job job : jobs) {
        put(job);
      }
    }
    scheduler.wake();
    return true;
  }

  /** Takes a text in, full or not: whoever asks {@link #wanted} first keeps to the bound. */
  void add(Job job) throws EncodeException {
    synchronized (scheduler) {
      put(job);
    }
    scheduler.wake();
  }

  private void put(Job job) throws EncodeException {
    if (closing) {
      throw EncodeException.retired();
    }
    waiting.add(job);
    groups.computeIfAbsent(job.group(), group -> new LinkedHashSet<>()).add(job);
    waitingTokens += job.tokens().length();
  }

  /**
   * The first of several groups of which a text should be read, or null: texts are read to pack
   * runs well, and no more than the lane may hold. A group that has none here may have one all the
   * same, so that it has its turn however much of others waits.
   */
  Object wanted(Set<Object> unread) {
    synchronized (scheduler) {
      LaneLimits now = limits.get();
      boolean room = waiting.size() < now.window() && waitingTokens < now.queueTokens();
      boolean newcomers = groups.size() < now.window() / FIRST_TEXTS;
      if (!closing && !room && !newcomers) {
        return null;
      }
      return unread.stream()
          .filter(group -> closing || room || !groups.containsKey(group))
          .findFirst()
          .orElse(null);
    }
  }

  boolean isClosing() {
    synchronized (scheduler) {
      return closing;
    }
  }

  /** Takes a text back that still waits; neither of its receivers is called then. */
  public boolean withdraw(Job job) {
    boolean waited;
    synchronized (scheduler) {
      waited = remove(job);
    }
    scheduler.endLanes(); // it may have been the last a closing lane waited for
    return waited;
  }

  private boolean remove(Job job) {
    if (!waiting.remove(job)) {
      return false;
    }
    waitingTokens -= job.tokens().length();
    Set<Job> group = groups.get(job.group());
    group.remove(job);
    if (group.isEmpty()) {
      groups.remove(job.group());
    }
    return true;
  }

  /** Tokens that wait. */
  public long waitingTokens() {
    synchronized (scheduler) {
      return waitingTokens;
    }
  }

  public LaneStats stats() {
    return stats;
  }

  Runner runner() {
    return runner;
  }

  void hasRoom() {
    onRoom.run();
  }

  /** The next run; empty when nothing waits. */
  List<Job> take() {
    if (waiting.isEmpty()) {
      return List.of();
    }
    Set<Job> rest = groups.remove(led);
    if (rest != null) {
      groups.put(led, rest);
    }
    led = groups.keySet().iterator().next();
    List<Job> run = packed(groups.get(led).iterator().next());
    run.forEach(this::remove);
    inRun = true;
    return run;
  }

  private List<Job> packed(Job leader) {
    LaneLimits now = limits.get();
    List<Job> window = new ArrayList<>(List.of(leader));
    for (Iterator<Job> i = waiting.iterator(); i.hasNext() && window.size() < now.window(); ) {
      Job job = i.next();
      if (job != leader) {
        window.add(job);
      }
    }
    if (window.size() < 2) {
      return window;
    }
    int[] lengths = window.stream().mapToInt(job -> job.tokens().length()).toArray();
    List<Integer> withLeader =
        Packing.pack(lengths, now.tokensPerRun(), maxPadding).stream()
            .filter(run -> run.contains(0))
            .findFirst()
            .orElseThrow();
    return withLeader.stream().map(window::get).toList();
  }

  void ran() {
    inRun = false;
  }

  /** Gives up what waits, and everything to come. */
  List<Job> abandon() {
    closing = true;
    List<Job> abandoned = List.copyOf(waiting);
    waiting.clear();
    groups.clear();
    waitingTokens = 0;
    return abandoned;
  }

  boolean isOver() {
    return closing && waiting.isEmpty() && !inRun;
  }

  void end() {
    afterwards.run();
  }

  /**
   * Turns new texts away, encodes those that wait, and ends; does not wait for the end.
   *
   * @param afterwards called when nothing is in flight any more
   */
  public void close(Runnable afterwards) {
    synchronized (scheduler) {
      closing = true;
      this.afterwards = afterwards;
    }
    scheduler.endLanes();
    onRoom.run(); // who has texts for it must take them elsewhere
  }
}
