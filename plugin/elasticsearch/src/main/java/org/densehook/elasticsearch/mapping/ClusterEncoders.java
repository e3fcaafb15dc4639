package org.densehook.elasticsearch.mapping;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.densehook.elasticsearch.compat.NodesRequest;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.service.EncodersResponse;
import org.densehook.elasticsearch.service.TransportEncodersAction;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.action.support.ThreadedActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.transport.ActionNotFoundTransportException;

/** Which encoders the cluster has, asked of other nodes only where this one does not know. */
final class ClusterEncoders {

  private static final TimeValue PATIENCE = TimeValue.timeValueSeconds(10);

  private final Supplier<List<EncoderFacts>> local;
  private final Client client;
  private final ThreadContext threadContext;
  private final Executor executor;

  /**
   * Nobody is asked yet.
   *
   * @param executor where listeners are called when other nodes were asked
   */
  ClusterEncoders(
      Supplier<List<EncoderFacts>> local,
      Client client,
      ThreadContext threadContext,
      Executor executor) {
    this.local = local;
    this.client = client;
    this.threadContext = threadContext;
    this.executor = executor;
  }

  /** Finds the encoders of fields, in the caller's thread context. */
  void find(Collection<EmbeddedField> fields, ActionListener<KnownEncoders> listener) {
    KnownEncoders here = new KnownEncoders(local.get(), true);
    if (fields.stream().allMatch(field -> here.of(field) != null)) {
      listener.onResponse(here);
      return;
    }
    ActionListener<EncodersResponse> inContext =
        ContextPreservingActionListener.wrapPreservingContext(
            new ThreadedActionListener<>(executor, listener.map(ClusterEncoders::known)),
            threadContext);
    // who puts a mapping need not have the right to see the nodes' encoders
    ThreadContext.StoredContext caller = threadContext.stashContext();
    try {
      threadContext.markAsSystemContext();
      NodesRequest request = new NodesRequest().within(PATIENCE);
      client.execute(TransportEncodersAction.Get.TYPE, request, inContext);
    } finally {
      caller.restore();
    }
  }

  private static KnownEncoders known(EncodersResponse response) {
    boolean complete =
        response.failures().stream()
            .allMatch(
                failure ->
                    ExceptionsHelper.unwrapCause(failure.getCause())
                        instanceof ActionNotFoundTransportException); // it has no plugin
    return new KnownEncoders(response.facts(), complete);
  }
}
