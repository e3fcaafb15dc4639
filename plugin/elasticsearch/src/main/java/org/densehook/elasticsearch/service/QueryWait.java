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

  QueryWait(ActionListener<float[]> listener) {
    this.listener = new AtomicReference<>(listener);
  }

  boolean isOver() {
    return listener.get() == null;
  }

  /** Has something done after a time, unless the wait is over by then. */
  void alarm(ThreadPool threadPool, TimeValue time, Runnable ring) {
    if (isOver()) {
      return;
    }
    alarm = threadPool.schedule(ring, time, threadPool.generic());
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
