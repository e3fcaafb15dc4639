package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.nodes.BaseNodeResponse;
import org.elasticsearch.action.support.nodes.BaseNodesResponse;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;

/** The encoders of each node. */
public final class EncodersResponse extends BaseNodesResponse<EncodersResponse.OfNode>
    implements ToXContentFragment {

  /** The encoders of one node. */
  public static final class OfNode extends BaseNodeResponse {

    private final List<EncoderStatus> encoders;

    OfNode(DiscoveryNode node, List<EncoderStatus> encoders) {
      super(node);
      this.encoders = encoders;
    }

    OfNode(StreamInput in) throws IOException {
      super(in);
      encoders = Wire.read(in, (body, version) -> body.readCollectionAsList(EncoderStatus::read));
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
      super.writeTo(out);
      Wire.write(out, body -> body.writeCollection(encoders));
    }
  }

  EncodersResponse(ClusterName cluster, List<OfNode> nodes, List<FailedNodeException> failures) {
    super(cluster, nodes, failures);
  }

  /** What a mapping that names an encoder of any node must agree with. */
  public List<EncoderFacts> facts() {
    return getNodes().stream()
        .flatMap(node -> node.encoders.stream().map(EncoderStatus::facts))
        .toList();
  }

  @Override
  protected List<OfNode> readNodesFrom(StreamInput in) throws IOException {
    return in.readCollectionAsList(OfNode::new);
  }

  @Override
  protected void writeNodesTo(StreamOutput out, List<OfNode> nodes) throws IOException {
    out.writeCollection(nodes);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject("nodes");
    for (OfNode node : getNodes()) {
      builder.startObject(node.getNode().getId());
      builder.field("name", node.getNode().getName());
      builder.startObject("encoders");
      for (EncoderStatus encoder : node.encoders) {
        encoder.toXContent(builder, params);
      }
      builder.endObject();
      builder.endObject();
    }
    return builder.endObject();
  }
}
