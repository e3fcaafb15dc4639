package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.List;
import org.densehook.elasticsearch.compat.NodesRequest;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.rest.action.RestActions.NodesResponseRestListener;
import org.elasticsearch.rest.action.RestResponseListener;
import org.elasticsearch.rest.action.RestToXContentListener;
import org.elasticsearch.xcontent.XContentParser;

/** The endpoints below /_densehook; each calls an action with a privilege of its own. */
public final class RestEncoders {

  private RestEncoders() {}

  /** All of them. */
  public static List<RestHandler> all() {
    return List.of(
        new OverNodes(
            "densehook_get_encoders",
            new RestHandler.Route(RestRequest.Method.GET, "/_densehook"),
            TransportEncodersAction.Get.TYPE),
        new OverNodes(
            "densehook_reload_encoders",
            new RestHandler.Route(RestRequest.Method.POST, "/_densehook/encoders/_reload"),
            TransportEncodersAction.Reload.TYPE),
        new Encode(),
        new Manifest());
  }

  /** Asks every node. */
  private static final class OverNodes extends BaseRestHandler {

    private final String name;
    private final Route route;
    private final ActionType<EncodersResponse> type;

    private OverNodes(String name, Route route, ActionType<EncodersResponse> type) {
      this.name = name;
      this.route = route;
      this.type = type;
    }

    @Override
    public String getName() {
      return name;
    }

    @Override
    public List<Route> routes() {
      return List.of(route);
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      return channel ->
          client.execute(type, new NodesRequest(), new NodesResponseRestListener<>(channel));
    }
  }

  /** Gives an encoder's manifest, as this node has it. */
  private static final class Manifest extends BaseRestHandler {

    @Override
    public String getName() {
      return "densehook_manifest";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.GET, "/_densehook/encoders/{encoder}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
      ManifestAction.Request asked = new ManifestAction.Request(request.param("encoder"));
      return channel ->
          client.execute(
              ManifestAction.TYPE,
              asked,
              new RestResponseListener<>(channel) {
                @Override
                public RestResponse buildResponse(ManifestAction.Response response) {
                  return new RestResponse(RestStatus.OK, "application/json", response.json());
                }
              });
    }
  }

  /** Encodes texts on this node. */
  private static final class Encode extends BaseRestHandler {

    @Override
    public String getName() {
      return "densehook_encode";
    }

    @Override
    public List<Route> routes() {
      return List.of(new Route(RestRequest.Method.POST, "/_densehook/_encode"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client)
        throws IOException {
      EncodeAction.Request encode;
      try (XContentParser parser = request.contentParser()) {
        encode = EncodeAction.Request.PARSER.apply(parser, null);
      }
      return channel ->
          client.execute(EncodeAction.TYPE, encode, new RestToXContentListener<>(channel));
    }
  }
}
