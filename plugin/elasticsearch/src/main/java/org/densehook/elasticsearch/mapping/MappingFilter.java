package org.densehook.elasticsearch.mapping;

import java.util.concurrent.Executor;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionRunnable;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.tasks.Task;

/**
 * Judges requests of one kind before they are carried out.
 *
 * <p>Filters run on the node that is asked and again on the master, which carries it out. Only the
 * master judges: its state is the newest there is, and what it takes out of a request, nobody puts
 * back. With security on, Elasticsearch's own filter has let the caller pass before.
 */
final class MappingFilter<Q extends ActionRequest> implements MappedActionFilter {

  /** Finds out what a request makes of mappings. */
  @FunctionalInterface
  interface Reader<Q> {

    /**
     * Reads a request.
     *
     * @return null when it has nothing to do with vectors, or is for Elasticsearch to refuse
     */
    Change read(Q request, ClusterState state) throws Exception;
  }

  private final String actionName;
  private final Class<Q> type;
  private final Reader<Q> reader;
  private final ClusterService clusterService;
  private final ClusterEncoders encoders;
  private final Executor executor;

  MappingFilter(
      String actionName,
      Class<Q> type,
      Reader<Q> reader,
      ClusterService clusterService,
      ClusterEncoders encoders,
      Executor executor) {
    this.actionName = actionName;
    this.type = type;
    this.reader = reader;
    this.clusterService = clusterService;
    this.encoders = encoders;
    this.executor = executor;
  }

  @Override
  public String actionName() {
    return actionName;
  }

  @Override
  public <A extends ActionRequest, R extends ActionResponse> void apply(
      Task task,
      String action,
      A request,
      ActionListener<R> listener,
      ActionFilterChain<A, R> chain) {
    ClusterState state = clusterService.state();
    if (!type.isInstance(request) || !state.nodes().isLocalNodeElectedMaster()) {
      chain.proceed(task, action, request, listener);
      return;
    }
    // mappings are read here: not on a thread that others wait for
    executor.execute(
        ActionRunnable.wrap(
            listener,
            answer -> {
              Change change = reader.read(type.cast(request), state);
              if (change == null) {
                chain.proceed(task, action, request, answer);
                return;
              }
              encoders.find(
                  change.fields(),
                  answer.delegateFailureAndWrap(
                      (delegate, known) -> {
                        for (String warning : change.judge(known)) {
                          HeaderWarning.addWarning("{}", warning);
                        }
                        change.apply().run();
                        chain.proceed(task, action, request, delegate);
                      }));
            }));
  }
}
