package org.densehook.elasticsearch.filter;

import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.tasks.Task;

/**
 * A filter of one action, which knows of which classes its requests and responses are.
 *
 * @param <Q> the action's requests; others go on untouched
 * @param <R> its responses
 */
public abstract class RequestFilter<Q extends ActionRequest, R extends ActionResponse>
    implements MappedActionFilter {

  private final String actionName;
  private final Class<Q> requests;

  protected RequestFilter(String actionName, Class<Q> requests) {
    this.actionName = actionName;
    this.requests = requests;
  }

  /** Carries a request out, as it is then. */
  @FunctionalInterface
  public interface Next<R> {
    void proceed(ActionListener<R> listener);
  }

  /** Sees a request before it is carried out, and has it carried out, sooner or later. */
  protected abstract void apply(Task task, Q request, ActionListener<R> listener, Next<R> next);

  @Override
  public final String actionName() {
    return actionName;
  }

  @Override
  @SuppressWarnings("unchecked") // an action answers with one class of responses
  public final <A extends ActionRequest, B extends ActionResponse> void apply(
      Task task,
      String action,
      A request,
      ActionListener<B> listener,
      ActionFilterChain<A, B> chain) {
    if (requests.isInstance(request)) {
      apply(
          task,
          requests.cast(request),
          (ActionListener<R>) listener,
          answer -> chain.proceed(task, action, request, (ActionListener<B>) answer));
    } else {
      chain.proceed(task, action, request, listener);
    }
  }
}
