package org.densehook.elasticsearch.compat;

import java.io.IOException;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.transport.AbstractTransportRequest;

/** A request to one node that says nothing more. */
public class NodeRequest extends AbstractTransportRequest {

  public NodeRequest() {}

  public NodeRequest(StreamInput in) throws IOException {
    super(in);
  }
}
