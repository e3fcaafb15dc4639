package org.densehook.elasticsearch.search;

import java.util.function.Supplier;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.densehook.elasticsearch.service.EncoderSettings;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.tasks.Task;

/**
 * Sees a search whole, before its parts are rewritten, and tells them what they cannot see: {@code
 * dense} its siblings and how many hits are wanted, the highlighter the text, whoever waits for a
 * vector how long that may take.
 */
public final class SearchFilter extends RequestFilter<SearchRequest, SearchResponse> {

  private final Supplier<SearchServices> services;
  private final ThreadContext threadContext;
  private final ClusterSettings settings;

  public SearchFilter(
      Supplier<SearchServices> services, ThreadContext threadContext, ClusterSettings settings) {
    super(TransportSearchAction.NAME, SearchRequest.class);
    this.services = services;
    this.threadContext = threadContext;
    this.settings = settings;
  }

  @Override
  protected void apply(
      Task task,
      SearchRequest request,
      ActionListener<SearchResponse> listener,
      Next<SearchResponse> next) {
    SearchSourceBuilder source = request.source();
    if (source == null) {
      next.proceed(listener);
      return;
    }
    prepare(source);
    if (SearchScope.isIn(threadContext)) { // of a search that runs this one: its end holds
      next.proceed(listener);
      return;
    }
    ActionListener<SearchResponse> outside =
        ContextPreservingActionListener.wrapPreservingContext(listener, threadContext);
    SearchScope scope = new SearchScope(task, timeout(source), source.size());
    ThreadContext.StoredContext before = threadContext.newStoredContext();
    try {
      scope.put(threadContext);
      next.proceed(outside);
    } finally {
      before.restore();
    }
  }

  private void prepare(SearchSourceBuilder source) {
    if (source.retriever() instanceof HybridRetrieverBuilder hybrid && source.size() < 0) {
      source.size(Math.min(SearchService.DEFAULT_SIZE, hybrid.window()));
    }
    if (source.retriever() instanceof RerankRetrieverBuilder rerank && source.size() < 0) {
      source.size(Math.min(SearchService.DEFAULT_SIZE, rerank.window()));
    }
    DensePlaces places = new DensePlaces();
    places.find(source);
    if (source.highlighter() != null) {
      PassageHighlights.prepare(source.highlighter(), places.asked(), services, wait(source));
    }
  }

  /** How long a search waits for vectors. */
  private TimeValue wait(SearchSourceBuilder source) {
    TimeValue timeout = timeout(source);
    TimeValue most = settings.get(EncoderSettings.QUERY_MAX_WAIT);
    return timeout == null || timeout.duration() < 0 || timeout.compareTo(most) > 0
        ? most
        : timeout;
  }

  private TimeValue timeout(SearchSourceBuilder source) {
    return source.timeout() == null
        ? settings.get(SearchService.DEFAULT_SEARCH_TIMEOUT_SETTING)
        : source.timeout();
  }
}
