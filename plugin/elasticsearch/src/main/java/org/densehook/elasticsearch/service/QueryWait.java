package org.densehook.elasticsearch.service;

import java.util.concurrent.atomic.AtomicReference;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.threadpool.Scheduler;
import org.elasticsearch.threadpool.ThreadPool;

/** A search that waits for a vector, until it is there or the wait is ended, whichever is first. */
final class QueryWait implements ActionListener<float[]> {

  private final AtomicReference<ActionListener<float[]>> listener;
  private volatile Scheduler.Cancellable alarm;
  private long started;
  private TimeValue time = TimeValue.MAX_VALUE;
  private Runnable late = () -> {};

  QueryWait(ActionListener<float[]> listener) {
    this.listener = new AtomicReference<>(listener);
  }

  boolean isOver() {
    return listener.get() == null;
  }

  /**
   * Lets it wait no longer than a time, from now; what comes later comes too late.
   *
   * @param late ends the wait
   */
  void within(TimeValue time, Runnable late) {
    started = System.nanoTime();
    this.time = time;
    this.late = late;
  }

  /** Has it end when its time is over, though nothing comes. */
  void alarm(ThreadPool threadPool) {
    if (isOver()) {
      return;
    }
    alarm = threadPool.schedule(late, time, threadPool.generic());
    if (isOver()) { // it came meanwhile
      alarm.cancel();
    }
  }

  /**
   * Ends the wait, unless it is over.
   *
   * @param leave called before the listener is told
   */
  void end(Runnable leave, Exception reason) {
    ActionListener<float[]> waiting = over();
    if (waiting != null) {
      leave.run();
      waiting.onFailure(reason);
    }
  }

  @Override
  public void onResponse(float[] vector) {
    if (System.nanoTime() - started > time.nanos()) {
      late.run();
      return;
    }
    ActionListener<float[]> waiting = over();
    if (waiting != null) {
      waiting.onResponse(vector);
    }
  }

  @Override
  public void onFailure(Exception failure) {
    ActionListener<float[]> waiting = over();
    if (waiting != null) {
      waiting.onFailure(failure);
    }
  }

  private ActionListener<float[]> over() {
    ActionListener<float[]> waiting = listener.getAndSet(null);
    Scheduler.Cancellable set = alarm;
    if (set != null) {
      set.cancel();
    }
    return waiting;
  }
}
