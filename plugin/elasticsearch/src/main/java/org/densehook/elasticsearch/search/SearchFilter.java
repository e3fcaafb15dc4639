package org.densehook.elasticsearch.search;

import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.tasks.Task;

/**
 * Sees a search whole, before its parts are rewritten, and tells them what they cannot see: {@code
 * dense} its siblings and how many hits are wanted, whoever waits for a vector how long that may
 * take.
 */
public final class SearchFilter implements MappedActionFilter {

  private final ThreadContext threadContext;
  private final ClusterSettings settings;

  public SearchFilter(ThreadContext threadContext, ClusterSettings settings) {
    this.threadContext = threadContext;
    this.settings = settings;
  }

  @Override
  public String actionName() {
    return TransportSearchAction.NAME;
  }

  @Override
  public <Request extends ActionRequest, Response extends ActionResponse> void apply(
      Task task,
      String action,
      Request request,
      ActionListener<Response> listener,
      ActionFilterChain<Request, Response> chain) {
    SearchSourceBuilder source = request instanceof SearchRequest search ? search.source() : null;
    if (source == null) {
      chain.proceed(task, action, request, listener);
      return;
    }
    prepare(source);
    if (SearchScope.isIn(threadContext)) { // of a search that runs this one: its end holds
      chain.proceed(task, action, request, listener);
      return;
    }
    ActionListener<Response> outside =
        ContextPreservingActionListener.wrapPreservingContext(listener, threadContext);
    SearchScope scope = new SearchScope(task, timeout(source), source.size());
    ThreadContext.StoredContext before = threadContext.newStoredContext();
    try {
      scope.put(threadContext);
      chain.proceed(task, action, request, outside);
    } finally {
      before.restore();
    }
  }

  private static void prepare(SearchSourceBuilder source) {
    if (source.retriever() instanceof HybridRetrieverBuilder hybrid && source.size() < 0) {
      source.size(Math.min(SearchService.DEFAULT_SIZE, hybrid.rankWindowSize()));
    }
    new DensePlaces().find(source);
  }

  private TimeValue timeout(SearchSourceBuilder source) {
    return source.timeout() == null
        ? settings.get(SearchService.DEFAULT_SEARCH_TIMEOUT_SETTING)
        : source.timeout();
  }
}
