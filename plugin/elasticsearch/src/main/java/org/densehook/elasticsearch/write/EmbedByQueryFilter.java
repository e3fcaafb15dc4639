package org.densehook.elasticsearch.write;

import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.index.reindex.ReindexRequest;
import org.elasticsearch.index.reindex.UpdateByQueryRequest;
import org.elasticsearch.tasks.Task;

/**
 * Marks the documents that an update by query or a reindex writes: they carry the vectors they were
 * read with, and a script or a pipeline may have changed their texts.
 */
final class EmbedByQueryFilter implements MappedActionFilter {

  private final String action;
  private final ThreadContext threadContext;

  EmbedByQueryFilter(String action, ThreadContext threadContext) {
    this.action = action;
    this.threadContext = threadContext;
  }

  @Override
  public String actionName() {
    return action;
  }

  @Override
  public <Q extends ActionRequest, R extends ActionResponse> void apply(
      Task task,
      String action,
      Q request,
      ActionListener<R> listener,
      ActionFilterChain<Q, R> chain) {
    if (changesDocuments(request)) {
      Outdated.all(
          threadContext, listener, outside -> chain.proceed(task, action, request, outside));
    } else {
      chain.proceed(task, action, request, listener);
    }
  }

  /** Whether what is written may have other texts than what was read. */
  static boolean changesDocuments(ActionRequest request) {
    if (request instanceof UpdateByQueryRequest update) {
      return update.getScript() != null || update.getPipeline() != null;
    }
    return request instanceof ReindexRequest reindex
        && (reindex.getScript() != null || reindex.getDestination().getPipeline() != null);
  }
}
