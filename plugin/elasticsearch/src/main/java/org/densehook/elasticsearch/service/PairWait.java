package org.densehook.elasticsearch.service;

import java.util.Arrays;
import java.util.List;
import org.densehook.encode.Job;
import org.densehook.encode.Lane;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.threadpool.Scheduler;

/** A search that waits for scores: until all are there, or the wait is ended. */
final class PairWait {

  private final Lane lane;
  private final boolean bounded;
  private final float[] scores;
  private final int[] best;

  // this guards what follows, and the scores
  private ActionListener<PairScores> listener; // null when the wait is over
  private List<Job> jobs = List.of();
  private int left;
  private Exception why;
  private Scheduler.Cancellable alarm;

  PairWait(int documents, boolean bounded, Lane lane, ActionListener<PairScores> listener) {
    this.bounded = bounded;
    this.lane = lane;
    this.listener = listener;
    scores = new float[documents];
    Arrays.fill(scores, Float.NaN);
    best = new int[documents];
  }

  synchronized boolean isOver() {
    return listener == null;
  }

  /** Sets what ends the wait in time. */
  synchronized void alarm(Scheduler.Cancellable set) {
    alarm = set;
  }

  /** Tells what is waited for; gives false where that is nothing, or the wait is over. */
  boolean expect(List<Job> expected) {
    synchronized (this) {
      jobs = expected;
      left = expected.size();
      if (listener == null) {
        return false;
      }
    }
    if (expected.isEmpty()) {
      end(null);
    }
    return !expected.isEmpty();
  }

  void scored(int document, int text, float score) {
    synchronized (this) {
      if (listener == null) {
        return;
      }
      if (!(scores[document] >= score)) { // also where there is none yet
        scores[document] = score;
        best[document] = text;
      }
    }
    oneLess();
  }

  /** A pair has no score. */
  void missed(Exception reason) {
    failed(reason);
    oneLess();
  }

  /** A document has no pair that can be scored. */
  synchronized void failed(Exception reason) {
    why = why == null ? reason : why;
  }

  private void oneLess() {
    boolean done;
    synchronized (this) {
      left--;
      done = left == 0;
    }
    if (done) {
      end(null);
    }
  }

  /**
   * Ends the wait with what there is.
   *
   * @param reason why no more is waited for; null where all is there
   * @return whether it was not over yet
   */
  boolean end(Exception reason) {
    ActionListener<PairScores> waiting;
    PairScores found;
    synchronized (this) {
      waiting = over();
      found = new PairScores(scores, best, bounded, why == null ? reason : why);
    }
    if (waiting == null) {
      return false;
    }
    takeBack();
    waiting.onResponse(found);
    return true;
  }

  /** Ends the wait with nothing; gives whether it was not over yet. */
  boolean fail(Exception reason) {
    ActionListener<PairScores> waiting;
    synchronized (this) {
      waiting = over();
    }
    if (waiting == null) {
      return false;
    }
    takeBack();
    waiting.onFailure(reason);
    return true;
  }

  private ActionListener<PairScores> over() {
    ActionListener<PairScores> waiting = listener;
    listener = null;
    if (alarm != null) {
      alarm.cancel();
    }
    if (left == 0) {
      jobs = List.of(); // there is nothing to take back
    }
    return waiting;
  }

  private void takeBack() {
    List<Job> asked;
    synchronized (this) {
      asked = jobs;
    }
    asked.forEach(lane::withdraw);
  }
}
