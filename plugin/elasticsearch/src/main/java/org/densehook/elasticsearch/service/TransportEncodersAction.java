package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.List;
import org.densehook.elasticsearch.compat.NodesRequest;
import org.densehook.elasticsearch.service.EncodersResponse.OfNode;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.nodes.TransportNodesAction;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.TransportService;

/** Reports the encoders of every node, or has every node look at its bundles again. */
public abstract class TransportEncodersAction
    extends TransportNodesAction<
        NodesRequest, EncodersResponse, EncodersNodeRequest, OfNode, Void> {

  private final EncoderService encoders;

  private TransportEncodersAction(
      ActionType<EncodersResponse> type,
      ThreadPool threadPool,
      ClusterService clusterService,
      TransportService transportService,
      ActionFilters actionFilters,
      EncoderService encoders) {
    super(
        type.name(),
        clusterService,
        transportService,
        actionFilters,
        EncodersNodeRequest::new,
        threadPool.executor(ThreadPool.Names.MANAGEMENT));
    this.encoders = encoders;
  }

  @Override
  protected EncodersResponse newResponse(
      NodesRequest request, List<OfNode> nodes, List<FailedNodeException> failures) {
    return new EncodersResponse(clusterService.getClusterName(), nodes, failures);
  }

  @Override
  protected EncodersNodeRequest newNodeRequest(NodesRequest request) {
    return new EncodersNodeRequest();
  }

  @Override
  protected OfNode newNodeResponse(StreamInput in, DiscoveryNode node) throws IOException {
    return new OfNode(in);
  }

  @Override
  protected OfNode nodeOperation(EncodersNodeRequest request, Task task) {
    return new OfNode(clusterService.localNode(), encoders.status());
  }

  EncoderService encoders() {
    return encoders;
  }

  /** {@code GET /_densehook}; needs the cluster privilege monitor. */
  public static final class Get extends TransportEncodersAction {

    public static final ActionType<EncodersResponse> TYPE =
        new ActionType<>("cluster:monitor/densehook/encoders/get");

    @Inject
    public Get(
        ThreadPool threadPool,
        ClusterService clusterService,
        TransportService transportService,
        ActionFilters actionFilters,
        EncoderService encoders) {
      super(TYPE, threadPool, clusterService, transportService, actionFilters, encoders);
    }
  }

  /** {@code POST /_densehook/encoders/_reload}; needs the cluster privilege manage. */
  public static final class Reload extends TransportEncodersAction {

    public static final ActionType<EncodersResponse> TYPE =
        new ActionType<>("cluster:admin/densehook/encoders/reload");

    @Inject
    public Reload(
        ThreadPool threadPool,
        ClusterService clusterService,
        TransportService transportService,
        ActionFilters actionFilters,
        EncoderService encoders) {
      super(TYPE, threadPool, clusterService, transportService, actionFilters, encoders);
    }

    @Override
    protected void nodeOperationAsync(
        EncodersNodeRequest request, Task task, ActionListener<OfNode> listener) {
      encoders()
          .reload(
              listener.delegateFailureAndWrap(
                  (delegate, done) ->
                      ActionListener.respondAndRelease(delegate, nodeOperation(request, task))));
    }
  }
}
