package org.densehook.elasticsearch.service;

import java.io.IOException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.HandledTransportAction;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.TransportService;

/** {@code GET /_densehook/encoders/NAME}: the manifest of an encoder in service. */
public final class ManifestAction {

  static final ActionType<Response> TYPE =
      new ActionType<>("cluster:monitor/densehook/encoders/manifest");

  private ManifestAction() {}

  /** An encoder of the node that is asked. */
  public static final class Request extends ActionRequest {

    private final String encoder;

    Request(String encoder) {
      this.encoder = encoder;
    }

    Request(StreamInput in) throws IOException {
      super(in);
      encoder = Wire.read(in, (body, version) -> body.readString());
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      super.writeTo(out);
      Wire.write(out, body -> body.writeString(encoder));
    }

    @Override
    public ActionRequestValidationException validate() {
      return null;
    }
  }

  /** Its encoder.json. */
  public static final class Response extends ActionResponse {

    private final String json;

    Response(String json) {
      this.json = json;
    }

    String json() {
      return json;
    }

    @Override
    public void writeTo(StreamOutput out) {
      throw new UnsupportedOperationException("it is answered where it is asked");
    }
  }

  /** Answers for this node. */
  // public for Guice, which makes it
  public static final class Transport extends HandledTransportAction<Request, Response> {

    private final EncoderService encoders;

    @Inject
    public Transport(
        TransportService transportService,
        ActionFilters actionFilters,
        EncoderService encoders,
        ThreadPool threadPool) {
      super(TYPE.name(), transportService, actionFilters, Request::new, threadPool.generic());
      this.encoders = encoders;
    }

    @Override
    protected void doExecute(Task task, Request request, ActionListener<Response> listener) {
      listener.onResponse(new Response(encoders.manifestJson(request.encoder)));
    }
  }
}
