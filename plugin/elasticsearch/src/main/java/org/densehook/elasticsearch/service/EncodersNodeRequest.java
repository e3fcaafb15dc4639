package org.densehook.elasticsearch.service;

import java.io.IOException;
import org.densehook.elasticsearch.compat.NodeRequest;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;

/**
 * Asks one node for its encoders, or to look for them again; what it says more a later version may.
 */
final class EncodersNodeRequest extends NodeRequest {

  EncodersNodeRequest() {}

  EncodersNodeRequest(StreamInput in) throws IOException {
    super(in);
    Wire.read(in, (body, version) -> null);
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    super.writeTo(out);
    Wire.write(out, body -> {});
  }
}
