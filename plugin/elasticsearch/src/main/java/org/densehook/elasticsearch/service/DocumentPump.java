package org.densehook.elasticsearch.service;

import java.util.Iterator;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.threadpool.ThreadPool;

/** Hands a bulk's texts to an encoder, a window of them in flight. */
final class DocumentPump {

  private static final int WINDOW = 256;
  private static final TimeValue PAUSE = TimeValue.timeValueMillis(50);

  private final Executor readers;
  private final ThreadPool threadPool;
  private final Iterator<DocumentText> texts;
  private final BiConsumer<String, ActionListener<float[]>> encode;
  private int inFlight; // guarded by this, as is the next
  private boolean reading;

  DocumentPump(
      Executor readers,
      ThreadPool threadPool,
      Iterator<DocumentText> texts,
      BiConsumer<String, ActionListener<float[]>> encode) {
    this.readers = readers;
    this.threadPool = threadPool;
    this.texts = texts;
    this.encode = encode;
  }

  void start() {
    synchronized (this) {
      if (reading || inFlight >= WINDOW) {
        return;
      }
      reading = true;
    }
    readers.execute(this::read);
  }

  private void read() {
    while (texts.hasNext()) {
      synchronized (this) {
        if (inFlight >= WINDOW) {
          reading = false;
          return;
        }
        inFlight++;
      }
      send(texts.next());
    }
  }

  private void send(DocumentText text) {
    encode.accept(
        text.text(),
        ActionListener.wrap(
            vector -> done(() -> text.listener().onResponse(vector)),
            failure -> {
              if (failure instanceof EsRejectedExecutionException full
                  && !full.isExecutorShutdown()
                  && String.valueOf(full.getMessage()).contains("queue of encoder")) {
                threadPool.schedule(() -> send(text), PAUSE, readers);
              } else {
                done(() -> text.listener().onFailure(failure));
              }
            }));
  }

  private void done(Runnable tell) {
    synchronized (this) {
      inFlight--;
    }
    try {
      tell.run();
    } finally {
      start();
    }
  }
}
