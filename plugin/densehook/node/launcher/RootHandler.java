import java.util.List;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.action.admin.cluster.health.ClusterHealthResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.rest.action.RestBuilderListener;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * {@code GET /}, with which every client begins, as Elasticsearch's own module answers it, which is
 * in no published part. Who may not monitor the cluster is denied it there too: the health is asked
 * first, in the caller's name.
 */
public final class RootHandler extends BaseRestHandler {

  private final Supplier<ClusterService> clusterService;

  RootHandler(Supplier<ClusterService> clusterService) {
    this.clusterService = clusterService;
  }

  @Override
  public String getName() {
    return "densehook_root";
  }

  @Override
  public List<Route> routes() {
    return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
  }

  @Override
  protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
    return channel ->
        client
            .admin()
            .cluster()
            .prepareHealth(TimeValue.timeValueSeconds(30))
            .execute(
                new RestBuilderListener<ClusterHealthResponse>(channel) {
                  @Override
                  public RestResponse buildResponse(
                      ClusterHealthResponse health, XContentBuilder builder) throws Exception {
                    write(builder.prettyPrint().lfAtEnd());
                    return new RestResponse(RestStatus.OK, builder);
                  }
                });
  }

  private void write(XContentBuilder builder) throws java.io.IOException {
    ClusterService cluster = clusterService.get();
    Build build = Build.current();
    builder.startObject();
    builder.field("name", cluster.getNodeName());
    builder.field("cluster_name", cluster.getClusterName().value());
    builder.field("cluster_uuid", cluster.state().metadata().clusterUUID());
    builder.startObject("version");
    builder.field("number", build.qualifiedVersion());
    builder.field("build_flavor", build.flavor());
    builder.field("build_type", build.type().displayName());
    builder.field("build_hash", build.hash());
    builder.field("build_date", build.date());
    builder.field("build_snapshot", build.isSnapshot());
    builder.field("lucene_version", IndexVersion.current().luceneVersion().toString());
    builder.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
    builder.field("minimum_index_compatibility_version", build.minIndexCompatVersion());
    builder.endObject();
    builder.field("tagline", "You Know, for Search");
    builder.endObject();
  }
}
