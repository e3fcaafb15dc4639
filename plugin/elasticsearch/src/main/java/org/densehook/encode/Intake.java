package org.densehook.encode;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Reads feeds into their lanes, a text from each in turn, and only while a lane wants more: what
 * waits beyond that stays unread with its owner, and nothing is ever turned away.
 */
public final class Intake {

  private final Executor readers;
  private final int mostReaders;
  private final Consumer<Error> onFatal;

  // this guards what follows; the scheduler's lock may be taken inside it, never the reverse
  private final Map<Lane, Deque<Feed>> idle = new LinkedHashMap<>(); // unread now, next first
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
      if (reading == mostReaders || idle.keySet().stream().noneMatch(Lane::wantsMore)) {
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
        unread = idle.values().stream().flatMap(Deque::stream).toList();
        idle.clear();
      }
      unread.forEach(feed -> feed.retired(true));
    }
  }

  private void read() {
    for (Source source = take(); source != null; source = take()) {
      wake(); // another reader, where there is another feed
      if (read(source)) {
        synchronized (this) {
          putBack(source);
        }
      }
    }
  }

  private void putBack(Source source) {
    idle.computeIfAbsent(source.lane, lane -> new ArrayDeque<>()).addLast(source.feed);
  }

  /** The next feed in turn that may be read, or null; then this reader is none any more. */
  private synchronized Source take() {
    for (Lane lane : idle.keySet()) {
      if (lane.wantsMore()) {
        Deque<Feed> feeds = idle.remove(lane);
        Source source = new Source(lane, feeds.removeFirst());
        if (!feeds.isEmpty()) {
          idle.put(lane, feeds); // the other lanes come first next time
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
