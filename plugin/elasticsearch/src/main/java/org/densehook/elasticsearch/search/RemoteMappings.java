package org.densehook.elasticsearch.search;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Executor;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.IndicesRequest;
import org.elasticsearch.action.OriginalIndices;
import org.elasticsearch.action.RemoteClusterActionType;
import org.elasticsearch.action.admin.indices.mapping.get.GetMappingsAction;
import org.elasticsearch.action.support.IndicesOptions;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.transport.ConnectTransportException;
import org.elasticsearch.transport.RemoteClusterService.DisconnectedStrategy;

/**
 * The mappings of another cluster's indices, asked for by Elasticsearch's own action, so that the
 * other cluster needs no plugin and gives what the caller may see there.
 *
 * <p>From 9.0 Elasticsearch's own request of this name is not for sending any more, but is still
 * read: this one is what 8.x sends.
 */
final class RemoteMappings {

  private static final TimeValue PATIENCE = TimeValue.timeValueSeconds(30);

  private RemoteMappings() {}

  static void ask(
      Client client,
      Executor executor,
      String cluster,
      OriginalIndices indices,
      ActionListener<Map<String, MappingMetadata>> listener) {
    ActionListener<Response> answered =
        listener
            .delegateResponse(
                (delegate, failure) -> {
                  if (ExceptionsHelper.unwrapCause(failure) instanceof ConnectTransportException) {
                    // whether the search may go on without it, the search itself decides
                    delegate.onResponse(Map.of());
                  } else {
                    delegate.onFailure(explained(cluster, failure));
                  }
                })
            .map(Response::mappings);
    ActionListener.run(
        answered,
        given ->
            client
                .getRemoteClusterClient(
                    cluster, executor, DisconnectedStrategy.RECONNECT_UNLESS_SKIP_UNAVAILABLE)
                .execute(
                    new RemoteClusterActionType<>(GetMappingsAction.NAME, Response::new),
                    new Request(indices.indices(), indices.indicesOptions()),
                    given));
  }

  private static Exception explained(String cluster, Exception failure) {
    Throwable cause = ExceptionsHelper.unwrapCause(failure);
    if (ExceptionsHelper.status(cause) != RestStatus.FORBIDDEN) {
      return failure; // which says it as a search of that index does
    }
    return new ElasticsearchStatusException(
        "cluster [{}] does not give the mappings that say which encoder its vectors come from: {};"
            + " have it grant view_index_metadata, or search it by a knn query with"
            + " query_vector_builder",
        RestStatus.FORBIDDEN,
        failure,
        cluster,
        cause.getMessage());
  }

  private static final class Request extends ActionRequest implements IndicesRequest {

    private final String[] indices;
    private final IndicesOptions options;

    Request(String[] indices, IndicesOptions options) {
      this.indices = indices;
      this.options = options;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      super.writeTo(out);
      out.writeTimeValue(PATIENCE);
      out.writeVLong(0); // the master's term
      out.writeBoolean(false); // not the receiver's own state, but the master's
      out.writeStringArray(indices);
      options.writeIndicesOptions(out);
    }

    @Override
    public ActionRequestValidationException validate() {
      return null;
    }

    @Override
    public String[] indices() {
      return indices;
    }

    @Override
    public IndicesOptions indicesOptions() {
      return options;
    }
  }

  private static final class Response extends ActionResponse {

    private final Map<String, MappingMetadata> mappings;

    Response(StreamInput in) throws IOException {
      mappings =
          in.readImmutableMap(
              each ->
                  each.readBoolean() ? new MappingMetadata(each) : MappingMetadata.EMPTY_MAPPINGS);
    }

    Map<String, MappingMetadata> mappings() {
      return mappings;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      MappingMetadata.writeMappingMetadata(out, mappings);
    }
  }
}
