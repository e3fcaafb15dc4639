package org.densehook.elasticsearch.mapping;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.RefCountingRunnable;
import org.elasticsearch.action.support.SubscribableListener;

/** Lets those that want the same things pass one after the other, in the order they came. */
final class Turns<K> {

  private final Map<K, SubscribableListener<Void>> last = new HashMap<>(); // guarded by this

  /**
   * Waits until all that came before and want one of the same have been answered.
   *
   * @param listener whose answer ends the turn
   * @param start begins the turn, with the listener to be answered; on the thread that calls here
   *     or on that which ended the turn before
   */
  <R> void take(Set<K> wanted, ActionListener<R> listener, Consumer<ActionListener<R>> start) {
    SubscribableListener<Void> ended = new SubscribableListener<>();
    ActionListener<R> answer = ActionListener.runBefore(listener, () -> end(wanted, ended));
    Runnable begin = () -> ActionListener.run(answer, start::accept);
    try (RefCountingRunnable before = new RefCountingRunnable(begin)) {
      synchronized (this) { // for all at once: so none waits for one that waits for it
        for (K each : wanted) {
          SubscribableListener<Void> previous = last.put(each, ended);
          if (previous != null) {
            previous.addListener(ActionListener.releasing(before.acquire()));
          }
        }
      }
    }
  }

  private void end(Set<K> wanted, SubscribableListener<Void> ended) {
    synchronized (this) {
      wanted.forEach(each -> last.remove(each, ended));
    }
    ended.onResponse(null);
  }
}
