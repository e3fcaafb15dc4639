package org.densehook.elasticsearch.mapping;

import java.util.Map;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.action.admin.indices.mapping.put.TransportAutoPutMappingAction;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.tasks.Task;

/**
 * Takes the {@code _meta} out of the mapping updates that documents bring about. A shard sends the
 * one it knows with the new fields, meaning nothing by it; where somebody has put another one
 * meanwhile, Elasticsearch would let the shard's take its place.
 */
final class AutoPutFilter extends RequestFilter<PutMappingRequest, AcknowledgedResponse> {

  AutoPutFilter() {
    super(TransportAutoPutMappingAction.TYPE.name(), PutMappingRequest.class);
  }

  @Override
  protected void apply(
      Task task,
      PutMappingRequest request,
      ActionListener<AcknowledgedResponse> listener,
      Next<AcknowledgedResponse> next) {
    if (request.source().contains("\"_meta\"")) {
      removeMeta(request);
    }
    next.proceed(listener);
  }

  static void removeMeta(PutMappingRequest update) {
    Map<String, Object> body = MappingBody.parse(update.source());
    if (body != null && MappingBody.inner(body).remove("_meta") != null) {
      update.source(body);
    }
  }
}
