package org.densehook.elasticsearch.compat;

import org.elasticsearch.action.support.nodes.BaseNodesRequest;

/** A request to every node that says nothing more. */
public final class NodesRequest extends BaseNodesRequest {

  public NodesRequest() {
    super(new String[0]);
  }
}
