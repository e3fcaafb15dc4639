package org.densehook.elasticsearch.service;

import java.util.concurrent.atomic.AtomicReference;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.TaskCancelledException;
import org.elasticsearch.threadpool.Scheduler;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * A search that waits for a vector; it ends with the vector, a failure, the search's time or its
 * cancellation, whichever is first.
 */
final class QueryWait implements ActionListener<float[]> {

  private final AtomicReference<ActionListener<float[]>> listener;
  private volatile Scheduler.Cancellable alarm;

  QueryWait(ActionListener<float[]> listener) {
    this.listener = new AtomicReference<>(listener);
  }

  /**
   * Ends the wait before its vector is there, when its time is over or its task is cancelled.
   *
   * @param task may be null
   * @param left called when the wait ended so, before the listener is
   */
  void limit(
      ThreadPool threadPool,
      TimeValue time,
      String encoder,
      CancellableTask task,
      Runnable onTimeout,
      Runnable left) {
    if (task != null) {
      task.addListener(
          () ->
              end(
                  left,
                  new TaskCancelledException(
                      "the search was cancelled while it waited for its vector")));
    }
    if (listener.get() != null) {
      alarm =
          threadPool.schedule(
              () -> {
                if (end(left, tooLong(encoder, time))) {
                  onTimeout.run();
                }
              },
              time,
              threadPool.generic());
      if (listener.get() == null) { // it came meanwhile
        alarm.cancel();
      }
    }
  }

  private static EsRejectedExecutionException tooLong(String encoder, TimeValue time) {
    return new EsRejectedExecutionException(
        "a query waited "
            + time
            + " for its vector by encoder ["
            + encoder
            + "] and none is there; try again later, or allow more by the search's timeout and ["
            + EncoderSettings.QUERY_MAX_WAIT.getKey()
            + "]");
  }

  private boolean end(Runnable left, Exception reason) {
    ActionListener<float[]> waiting = listener.getAndSet(null);
    if (waiting == null) {
      return false;
    }
    stopAlarm();
    left.run();
    waiting.onFailure(reason);
    return true;
  }

  @Override
  public void onResponse(float[] vector) {
    ActionListener<float[]> waiting = listener.getAndSet(null);
    if (waiting != null) {
      stopAlarm();
      waiting.onResponse(vector);
    }
  }

  @Override
  public void onFailure(Exception failure) {
    ActionListener<float[]> waiting = listener.getAndSet(null);
    if (waiting != null) {
      stopAlarm();
      waiting.onFailure(failure);
    }
  }

  private void stopAlarm() {
    Scheduler.Cancellable set = alarm;
    if (set != null) {
      set.cancel();
    }
  }
}
