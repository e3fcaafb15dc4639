package org.densehook.elasticsearch.compat;

import java.util.ArrayList;
import java.util.List;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.support.TransportAction;
import org.elasticsearch.plugins.ActionPlugin.ActionHandler;

/** Collects a plugin's actions. */
public final class Actions {

  private final List<ActionHandler<? extends ActionRequest, ? extends ActionResponse>> handlers =
      new ArrayList<>();

  /** An action and the class that carries it out. */
  public <Q extends ActionRequest, R extends ActionResponse> void add(
      ActionType<R> type, Class<? extends TransportAction<Q, R>> transport) {
    handlers.add(new ActionHandler<>(type, transport));
  }

  List<ActionHandler<? extends ActionRequest, ? extends ActionResponse>> handlers() {
    return handlers;
  }
}
