package org.densehook.elasticsearch.service;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.densehook.encode.Intake;
import org.densehook.encode.Scheduler;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * Who runs when, for all encoders of the node: one run of documents and one of queries at a time,
 * so that queries wait for no document.
 *
 * @param documents runs of documents
 * @param queries runs of queries
 * @param pairs runs of pairs that searches have scored: many a search, so that no query waits for
 *     them
 * @param intake reads documents' texts as there is room
 * @param completions where results are told, in no caller's context
 */
record NodeSchedule(
    Scheduler documents, Scheduler queries, Scheduler pairs, Intake intake, Executor completions) {

  static NodeSchedule of(Settings settings, ThreadPool threadPool) {
    Executor completions = EncoderPools.withoutContext(threadPool, ThreadPool.Names.GENERIC);
    Consumer<Error> onFatal = ExceptionsHelper::maybeDieOnAnotherThread;
    return new NodeSchedule(
        scheduler(threadPool, EncoderPools.DOCUMENT, completions, onFatal),
        scheduler(threadPool, EncoderPools.QUERY, completions, onFatal),
        scheduler(threadPool, EncoderPools.RERANK, completions, onFatal),
        new Intake(
            EncoderPools.withoutContext(threadPool, EncoderPools.READ),
            EsExecutors.allocatedProcessors(settings),
            onFatal),
        completions);
  }

  /** Tells a result; where the node shuts down, on the spot: here or never. */
  void tell(Runnable result) {
    try {
      completions.execute(result);
    } catch (RejectedExecutionException e) {
      result.run();
    }
  }

  private static Scheduler scheduler(
      ThreadPool threadPool, String pool, Executor completions, Consumer<Error> onFatal) {
    return new Scheduler(EncoderPools.withoutContext(threadPool, pool), completions, onFatal);
  }
}
