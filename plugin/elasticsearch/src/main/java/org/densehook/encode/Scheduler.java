package org.densehook.encode;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One kind of work of a node: the runs of all its encoders, one at a time, each encoder in its
 * turn.
 *
 * <p>A run uses every core, so that a second one of the same kind would only slow the first down.
 * Batches form by back-pressure: while a run is in flight texts gather, and the next run is packed
 * from what waits by then. There is no fixed delay.
 */
public final class Scheduler {

  private final Executor runs;
  private final Executor completions;
  private final Consumer<Error> onFatal;

  // this guards what follows and the content of every lane
  private final List<Lane> lanes = new ArrayList<>();
  private boolean running;

  /** Texts of one lane that run together. */
  record Run(Lane lane, List<Job> jobs) {}

  /**
   * Nothing runs before a lane has texts.
   *
   * @param runs where encoders run, a run at a time
   * @param completions where jobs get their results, a run at a time: never the encoding thread
   * @param onFatal told of an exhausted heap, of which the whole process must end
   */
  public Scheduler(Executor runs, Executor completions, Consumer<Error> onFatal) {
    this.runs = runs;
    this.completions = completions;
    this.onFatal = onFatal;
  }

  void open(Lane lane) {
    synchronized (this) {
      lanes.add(lane);
    }
  }

  /** Begins a run unless one is in flight; to be called when texts have come in. */
  void wake() {
    synchronized (this) {
      if (running) {
        return;
      }
      running = true;
    }
    handOn();
  }

  private void handOn() {
    try {
      runs.execute(this::turn);
    } catch (RuntimeException rejected) { // the node shuts down
      List<Job> waiting = new ArrayList<>();
      synchronized (this) {
        running = false;
        lanes.forEach(lane -> waiting.addAll(lane.abandon()));
      }
      waiting.forEach(job -> complete(() -> job.onFailure().accept(EncodeException.retired())));
    }
  }

  private void turn() {
    Run run = next();
    if (run == null) {
      return;
    }
    try {
      run.lane().hasRoom();
      encode(run.lane(), run.jobs());
    } finally {
      synchronized (this) {
        run.lane().ran();
      }
      try {
        endLanes();
      } finally {
        handOn();
      }
    }
  }

  /** The next run, or null when nothing waits; then no run is in flight any more. */
  private synchronized Run next() {
    for (int i = 0; i < lanes.size(); i++) {
      Lane lane = lanes.get(i);
      List<Job> jobs = lane.take();
      if (!jobs.isEmpty()) {
        lanes.add(lanes.remove(i)); // the others come first next time
        return new Run(lane, jobs);
      }
    }
    running = false;
    return null;
  }

  /** Ends the closed lanes of which nothing waits or runs any more. */
  void endLanes() {
    List<Lane> over = new ArrayList<>();
    synchronized (this) {
      lanes.stream().filter(Lane::isOver).forEach(over::add);
      lanes.removeAll(over);
    }
    over.forEach(Lane::end);
  }

  /** Encodes a run; one that fails is split until only the guilty text fails. */
  private void encode(Lane lane, List<Job> run) {
    float[][] vectors;
    try {
      vectors = lane.runner().run(run.stream().map(Job::tokens).toList());
    } catch (Throwable failure) { // an Error too: of a native library it is the text's failure
      boolean fatal = Fatal.is(failure);
      if (fatal) {
        onFatal.accept((Error) failure);
      }
      if (run.size() == 1 || fatal) {
        lane.stats().failed(run.size());
        for (Job job : run) {
          complete(() -> job.onFailure().accept(EncodeException.of(failure)));
        }
      } else {
        encode(lane, run.subList(0, run.size() / 2));
        encode(lane, run.subList(run.size() / 2, run.size()));
      }
      return;
    }
    lane.stats().ran(run);
    complete(() -> deliver(lane, run, vectors));
  }

  private static void deliver(Lane lane, List<Job> run, float[][] vectors) {
    Throwable first = null;
    for (int i = 0; i < vectors.length; i++) {
      try {
        if (isFinite(vectors[i])) {
          run.get(i).onVector().accept(vectors[i]);
        } else {
          lane.stats().failed(1);
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
        // its own fault, of which there is nobody else to tell; the runs must go on
      }
    }
  }
}
