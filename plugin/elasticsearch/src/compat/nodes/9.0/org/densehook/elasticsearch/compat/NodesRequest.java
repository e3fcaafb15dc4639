package org.densehook.elasticsearch.compat;

import org.elasticsearch.action.support.nodes.BaseNodesRequest;
import org.elasticsearch.core.TimeValue;

/** A request to every node that says nothing more. */
public final class NodesRequest extends BaseNodesRequest {

  public NodesRequest() {
    super(new String[0]);
  }

  /** How long nodes have to answer. */
  public NodesRequest within(TimeValue time) {
    setTimeout(time);
    return this;
  }
}
