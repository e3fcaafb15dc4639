package org.densehook.elasticsearch.service;

import java.util.List;
import java.util.concurrent.Executor;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.threadpool.ExecutorBuilder;
import org.elasticsearch.threadpool.FixedExecutorBuilder;
import org.elasticsearch.threadpool.ScalingExecutorBuilder;
import org.elasticsearch.threadpool.ThreadPool;

/** The plugin's own thread pools, as {@code GET _cat/thread_pool} shows them. */
public final class EncoderPools {

  /** Reads documents' texts and makes tokens of them. */
  public static final String READ = "densehook_read";

  /** Runs encoders on documents, one run at a time for all encoders of the node. */
  public static final String DOCUMENT = "densehook_document";

  /** Runs encoders on queries, one run at a time for all encoders of the node. */
  public static final String QUERY = "densehook_query";

  /** Runs encoders on pairs of a query and a text, one run at a time for all of the node. */
  public static final String RERANK = "densehook_rerank";

  private EncoderPools() {}

  /** All of them. */
  public static List<ExecutorBuilder<?>> builders(Settings settings) {
    int readers = EsExecutors.allocatedProcessors(settings);
    return List.of(
        new ScalingExecutorBuilder(READ, 0, readers, TimeValue.timeValueSeconds(30), false),
        oneThread(settings, DOCUMENT),
        oneThread(settings, QUERY),
        oneThread(settings, RERANK));
  }

  private static ExecutorBuilder<?> oneThread(Settings settings, String name) {
    return new FixedExecutorBuilder(
        settings, name, 1, -1, "thread_pool." + name, EsExecutors.TaskTrackingConfig.DO_NOT_TRACK);
  }

  /** A pool whose work is no one caller's: it does not take over the context of who hands it on. */
  static Executor withoutContext(ThreadPool threadPool, String name) {
    Executor pool = threadPool.executor(name);
    return work -> {
      ThreadContext.StoredContext callers = threadPool.getThreadContext().stashContext();
      try {
        pool.execute(work);
      } finally {
        callers.restore();
      }
    };
  }
}
