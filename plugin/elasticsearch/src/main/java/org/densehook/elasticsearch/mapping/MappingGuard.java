package org.densehook.elasticsearch.mapping;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.admin.indices.create.CreateIndexRequest;
import org.elasticsearch.action.admin.indices.create.TransportCreateIndexAction;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.action.admin.indices.mapping.put.TransportPutMappingAction;
import org.elasticsearch.action.admin.indices.rollover.RolloverAction;
import org.elasticsearch.action.admin.indices.rollover.RolloverRequest;
import org.elasticsearch.action.admin.indices.settings.put.TransportUpdateSettingsAction;
import org.elasticsearch.action.admin.indices.settings.put.UpdateSettingsRequest;
import org.elasticsearch.action.admin.indices.template.put.PutComponentTemplateAction;
import org.elasticsearch.action.admin.indices.template.put.PutIndexTemplateRequest;
import org.elasticsearch.action.admin.indices.template.put.TransportPutComposableIndexTemplateAction;
import org.elasticsearch.action.admin.indices.template.put.TransportPutIndexTemplateAction;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.threadpool.ThreadPool;

/** The filters of the requests that say what vectors an index has. */
public final class MappingGuard {

  private final ClusterService clusterService;
  private final ClusterEncoders encoders;
  private final ThreadContext threadContext;
  private final Executor executor;

  private MappingGuard(
      ClusterService clusterService,
      ClusterEncoders encoders,
      ThreadContext threadContext,
      Executor executor) {
    this.clusterService = clusterService;
    this.encoders = encoders;
    this.threadContext = threadContext;
    this.executor = executor;
  }

  /**
   * The filters that guard mappings.
   *
   * @param local the encoders of this node
   */
  public static List<MappedActionFilter> filters(
      Supplier<List<EncoderFacts>> local,
      IndexVectorsCache indexVectors,
      ClusterService clusterService,
      IndexNameExpressionResolver indexNames,
      Client client,
      ThreadPool threadPool) {
    Executor executor = threadPool.executor(ThreadPool.Names.MANAGEMENT);
    ThreadContext threadContext = threadPool.getThreadContext();
    ClusterEncoders encoders = new ClusterEncoders(local, client, threadContext, executor);
    MappingGuard guard = new MappingGuard(clusterService, encoders, threadContext, executor);
    RequestedIndices requested = new RequestedIndices(indexNames);
    NewIndices newIndices = new NewIndices(indexNames);
    return List.of(
        guard.filter(
            TransportPutMappingAction.TYPE.name(),
            PutMappingRequest.class,
            new PutMappings(indexVectors, requested)),
        new AutoPutFilter(),
        guard.filter(
            TransportCreateIndexAction.TYPE.name(), CreateIndexRequest.class, newIndices::created),
        guard.filter(RolloverAction.NAME, RolloverRequest.class, newIndices::rolledOver),
        guard.filter(
            TransportUpdateSettingsAction.TYPE.name(),
            UpdateSettingsRequest.class,
            new SettingsUpdates(indexVectors, requested)),
        guard.filter(
            PutComponentTemplateAction.NAME,
            PutComponentTemplateAction.Request.class,
            (request, state) ->
                NewTemplates.of(
                    "component template", request.name(), request.componentTemplate().template())),
        guard.filter(
            TransportPutComposableIndexTemplateAction.TYPE.name(),
            TransportPutComposableIndexTemplateAction.Request.class,
            (request, state) ->
                NewTemplates.of(
                    "index template", request.name(), request.indexTemplate().template())),
        guard.filter(
            TransportPutIndexTemplateAction.TYPE.name(),
            PutIndexTemplateRequest.class,
            (request, state) ->
                NewTemplates.of(
                    "template",
                    request.name(),
                    MappingBody.parse(request.mappings()),
                    request.settings())));
  }

  private <Q extends ActionRequest> MappedActionFilter filter(
      String actionName, Class<Q> type, MappingFilter.Reader<Q> reader) {
    return new MappingFilter<>(
        actionName, type, reader, clusterService, encoders, threadContext, executor);
  }
}
