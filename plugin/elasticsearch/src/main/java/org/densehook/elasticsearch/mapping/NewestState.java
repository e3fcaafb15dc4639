package org.densehook.elasticsearch.mapping;

import org.elasticsearch.action.ActionListener;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.LocalMasterServiceTask;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Priority;

/**
 * The cluster's state as the master's next change will find it. What the node itself has applied
 * may be older: an update is answered before that, where a node was slow to acknowledge it.
 */
final class NewestState extends LocalMasterServiceTask {

  private final ActionListener<ClusterState> listener;
  private ClusterState state;

  private NewestState(ActionListener<ClusterState> listener) {
    super(Priority.HIGH);
    this.listener = listener;
  }

  /** Asks for it; the listener is called on a thread that must not be kept. */
  static void of(ClusterService clusterService, ActionListener<ClusterState> listener) {
    new NewestState(listener).submit(clusterService.getMasterService(), "densehook[newest state]");
  }

  @Override
  protected void execute(ClusterState currentState) {
    state = currentState;
  }

  @Override
  protected void onPublicationComplete() {
    listener.onResponse(state);
  }

  @Override
  public void onFailure(Exception e) {
    listener.onFailure(e);
  }
}
