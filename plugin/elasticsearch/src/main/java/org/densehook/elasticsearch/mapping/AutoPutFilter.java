package org.densehook.elasticsearch.mapping;

import java.util.Map;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.action.admin.indices.mapping.put.TransportAutoPutMappingAction;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.tasks.Task;

/**
 * Takes the {@code _meta} out of the mapping updates that documents bring about. A shard sends the
 * one it knows with the new fields, meaning nothing by it; where somebody has put another one
 * meanwhile, Elasticsearch would let the shard's take its place.
 */
final class AutoPutFilter implements MappedActionFilter {

  @Override
  public String actionName() {
    return TransportAutoPutMappingAction.TYPE.name();
  }

  @Override
  public <Q extends ActionRequest, R extends ActionResponse> void apply(
      Task task,
      String action,
      Q request,
      ActionListener<R> listener,
      ActionFilterChain<Q, R> chain) {
    if (request instanceof PutMappingRequest update && update.source().contains("\"_meta\"")) {
      removeMeta(update);
    }
    chain.proceed(task, action, request, listener);
  }

  static void removeMeta(PutMappingRequest update) {
    Map<String, Object> body = MappingBody.parse(update.source());
    if (body != null && MappingBody.inner(body).remove("_meta") != null) {
      update.source(body);
    }
  }
}
