package org.densehook.encode;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Reads feeds into their lanes, a text from each group in turn and from each feed of a group, and
 * only while a lane wants more: what waits beyond that stays unread with its owner, and nothing is
 * ever turned away.
 */
public final class Intake {

  private final Executor readers;
  private final int mostReaders;
  private final Consumer<Error> onFatal;

  // this guards what follows; the scheduler's lock may be taken inside it, never the reverse
  // feeds that nobody reads now, by their groups; next first
  private final Map<Lane, Map<Object, Deque<Feed>>> idle = new LinkedHashMap<>();
  private int reading;

  private record Source(Lane lane, Feed feed) {}

  /**
   * Nothing is read before there is a feed.
   *
   * @param readers where feeds are read
   * @param mostReaders how many feeds may be read at a time
   * @param onFatal told of an exhausted heap, of which the whole process must end
   */
  public Intake(Executor readers, int mostReaders, Consumer<Error> onFatal) {
    this.readers = readers;
    this.mostReaders = mostReaders;
    this.onFatal = onFatal;
  }

  /** Has a feed read into a lane, to its end. */
  public void add(Lane lane, Feed feed) {
    synchronized (this) {
      putBack(new Source(lane, feed));
    }
    wake();
  }

  /** To be called when a lane may want more. */
  public void wake() {
    synchronized (this) {
      if (reading == mostReaders || !isAnyWanted()) {
        return;
      }
      reading++;
    }
    try {
      readers.execute(this::read);
    } catch (RuntimeException rejected) { // the node shuts down
      List<Feed> unread;
      synchronized (this) {
        reading--;
        unread =
            idle.values().stream()
                .flatMap(groups -> groups.values().stream())
                .flatMap(Deque::stream)
                .toList();
        idle.clear();
      }
      unread.forEach(feed -> feed.retired(true));
    }
  }

  private void read() {
    boolean ended = false;
    try {
      for (Source source = take(); source != null; source = take()) {
        wake(); // another reader, where there is another feed
        if (read(source)) {
          synchronized (this) {
            putBack(source);
          }
        }
      }
      ended = true;
    } finally {
      if (!ended) { // by what a feed threw: the others must go on
        synchronized (this) {
          reading--;
        }
        wake();
      }
    }
  }

  private void putBack(Source source) {
    idle.computeIfAbsent(source.lane, lane -> new LinkedHashMap<>())
        .computeIfAbsent(source.feed.group(), group -> new ArrayDeque<>())
        .addLast(source.feed);
  }

  private boolean isAnyWanted() {
    return idle.entrySet().stream()
        .anyMatch(entry -> entry.getKey().wanted(entry.getValue().keySet()) != null);
  }

  /** The next feed in turn that may be read, or null; then this reader is none any more. */
  private synchronized Source take() {
    for (Map.Entry<Lane, Map<Object, Deque<Feed>>> entry : idle.entrySet()) {
      Lane lane = entry.getKey();
      Map<Object, Deque<Feed>> groups = entry.getValue();
      Object group = lane.wanted(groups.keySet());
      if (group != null) {
        Deque<Feed> feeds = groups.remove(group);
        Source source = new Source(lane, feeds.removeFirst());
        if (!feeds.isEmpty()) {
          groups.put(group, feeds); // the other groups come first next time
        }
        idle.remove(lane);
        if (!groups.isEmpty()) {
          idle.put(lane, groups); // and so do the other lanes
        }
        return source;
      }
    }
    reading--;
    return null;
  }

  /** Reads a text; gives whether there may be more. */
  private boolean read(Source source) {
    boolean lastTaken = true;
    try {
      if (source.lane.isClosing()) {
        throw EncodeException.retired();
      }
      lastTaken = false;
      Job job = source.feed.next();
      if (job == null) {
        return false;
      }
      source.lane.add(job);
      return true;
    } catch (EncodeException retired) {
      source.feed.retired(lastTaken);
      return false;
    } catch (Error e) {
      if (Fatal.is(e)) {
        onFatal.accept(e);
      }
      throw e;
    }
  }
}
