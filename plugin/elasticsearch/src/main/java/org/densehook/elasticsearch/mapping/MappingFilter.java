package org.densehook.elasticsearch.mapping;

import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionRunnable;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.ThreadedActionListener;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.index.Index;
import org.elasticsearch.tasks.Task;

/**
 * Judges requests of one kind before they are carried out.
 *
 * <p>Filters run on the node that is asked and again on the master, which carries it out. Only the
 * master judges: its state is the newest there is, and what it takes out of a request, nobody puts
 * back. With security on, Elasticsearch's own filter has let the caller pass before.
 */
final class MappingFilter<Q extends ActionRequest> extends RequestFilter<Q, ActionResponse> {

  /** Finds out what a request makes of mappings. */
  @FunctionalInterface
  interface Reader<Q> {

    /**
     * Reads a request.
     *
     * @return null when it has nothing to do with vectors, or is for Elasticsearch to refuse
     */
    Change read(Q request, ClusterState state) throws Exception;

    /**
     * The indices of which no other request of its kind may be at work until it is answered; mostly
     * none.
     */
    default Set<Index> alone(Q request, ClusterState state) {
      return Set.of();
    }
  }

  private final Reader<Q> reader;
  private final ClusterService clusterService;
  private final ClusterEncoders encoders;
  private final ThreadContext threadContext;
  private final Executor executor;
  private final Turns<Index> turns = new Turns<>();

  /**
   * A filter of one action.
   *
   * @param executor where mappings are read: not on a thread that others wait for
   */
  MappingFilter(
      String actionName,
      Class<Q> type,
      Reader<Q> reader,
      ClusterService clusterService,
      ClusterEncoders encoders,
      ThreadContext threadContext,
      Executor executor) {
    super(actionName, type);
    this.reader = reader;
    this.clusterService = clusterService;
    this.encoders = encoders;
    this.threadContext = threadContext;
    this.executor = executor;
  }

  @Override
  protected void apply(
      Task task, Q request, ActionListener<ActionResponse> listener, Next<ActionResponse> next) {
    ClusterState state = clusterService.state();
    if (!state.nodes().isLocalNodeElectedMaster()) {
      next.proceed(listener);
      return;
    }
    executor.execute(
        ActionRunnable.wrap(
            listener,
            answer -> {
              Set<Index> alone = reader.alone(request, state);
              if (alone.isEmpty()) {
                judge(request, state, answer, next);
              } else {
                judgeAlone(request, alone, answer, next);
              }
            }));
  }

  private void judgeAlone(
      Q request,
      Set<Index> alone,
      ActionListener<ActionResponse> listener,
      Next<ActionResponse> next) {
    Supplier<ThreadContext.StoredContext> callers = threadContext.newRestorableContext(false);
    turns.take(
        alone,
        listener,
        answer -> {
          ActionListener<ClusterState> judged =
              answer.delegateFailureAndWrap(
                  (delegate, newest) -> judge(request, newest, delegate, next));
          NewestState.of(
              clusterService,
              new ContextPreservingActionListener<>(
                  callers, new ThreadedActionListener<>(executor, judged)));
        });
  }

  private void judge(
      Q request,
      ClusterState state,
      ActionListener<ActionResponse> listener,
      Next<ActionResponse> next)
      throws Exception {
    Change change = reader.read(request, state);
    if (change == null) {
      next.proceed(listener);
      return;
    }
    encoders.find(
        change.fields(),
        listener.delegateFailureAndWrap(
            (delegate, known) -> {
              for (String warning : change.judge(known)) {
                HeaderWarning.addWarning("{}", warning);
              }
              change.apply().run();
              next.proceed(delegate);
            }));
  }
}
