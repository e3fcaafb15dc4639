package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.vectors.DocumentSource;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.action.update.TransportUpdateAction;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.action.update.UpdateResponse;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.index.get.GetResult;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentFactory;

/**
 * Looks at single updates before they run.
 *
 * <p>Elasticsearch merges the partial document into the stored one on the node of the primary and
 * indexes the outcome, which passes {@link EmbedBulkFilter} like any document. What is missing
 * there is that its vector is the stored one, made of another text; this filter says so. Nothing is
 * read here, so no right to read is needed, updates that change nothing stay cheap, and a conflict
 * is retried by Elasticsearch with the document that is there then.
 */
final class EmbedUpdateFilter implements MappedActionFilter {

  private final IndexVectorsCache indexVectors;
  private final ClusterService clusterService;
  private final IndexNameExpressionResolver indexNames;
  private final ThreadContext threadContext;

  EmbedUpdateFilter(
      IndexVectorsCache indexVectors,
      ClusterService clusterService,
      IndexNameExpressionResolver indexNames,
      ThreadContext threadContext) {
    this.indexVectors = indexVectors;
    this.clusterService = clusterService;
    this.indexNames = indexNames;
    this.threadContext = threadContext;
  }

  @Override
  public String actionName() {
    return TransportUpdateAction.NAME;
  }

  @Override
  public <Q extends ActionRequest, R extends ActionResponse> void apply(
      Task task,
      String action,
      Q request,
      ActionListener<R> listener,
      ActionFilterChain<Q, R> chain) {
    if (!(request instanceof UpdateRequest update)) {
      chain.proceed(task, action, request, listener);
      return;
    }
    IndexMetadata index = writeIndex(update);
    if (index == null) { // the update may make it, or another may before the update runs
      Outdated.merged(
          threadContext, listener, outside -> chain.proceed(task, action, request, outside));
      return;
    }
    List<EmbeddedField> outdated = List.of();
    if (EmbedSettings.embeds(index)) {
      if (update.script() != null) {
        listener.onFailure(scripted(index));
        return;
      }
      outdated = needs(update, indexVectors.of(index).fields().values()).outdated();
    }
    if (outdated.isEmpty()) {
      chain.proceed(task, action, request, listener);
      return;
    }
    List<EmbeddedField> fields = outdated;
    Outdated.merged(
        threadContext,
        fields,
        listener.<R>map(response -> withoutVectors(response, fields)),
        outside -> chain.proceed(task, action, request, outside));
  }

  private IndexMetadata writeIndex(UpdateRequest update) {
    ClusterState state = clusterService.state();
    try {
      return Compat.index(
          state,
          indexNames.concreteWriteIndex(
              state, update.indicesOptions(), update.index(), false, update.includeDataStreams()));
    } catch (Exception e) { // the action says what is wrong with the name
      return null;
    }
  }

  /** What an update without a script does; nothing when it cannot be read. */
  static UpdateNeeds needs(UpdateRequest update, Collection<EmbeddedField> fields) {
    Set<String> paths = new HashSet<>();
    for (EmbeddedField field : fields) {
      paths.add(field.name());
      paths.addAll(field.inputs());
    }
    IndexRequest upsert = update.docAsUpsert() ? update.doc() : update.upsertRequest();
    try {
      return UpdateNeeds.of(
          fields, part(update.doc(), paths), upsert == null ? null : part(upsert, paths));
    } catch (Exception e) { // it fails as it does without this plugin
      return new UpdateNeeds(List.of(), false);
    }
  }

  private static Map<String, Object> part(IndexRequest document, Set<String> paths)
      throws Exception {
    return DocumentSource.part(document.source(), document.getContentType(), paths);
  }

  static IllegalArgumentException scripted(IndexMetadata index) {
    return new IllegalArgumentException(
        "index ["
            + index.getIndex().getName()
            + "] has ["
            + EmbedSettings.EMBED.getKey()
            + "], which allows no update with a script: it could change a text behind its vector;"
            + " send the changed fields as [doc]");
  }

  /** The document in an update's response is the merged one, before its new vector is made. */
  private static <R> R withoutVectors(R response, List<EmbeddedField> fields) throws IOException {
    if (response instanceof UpdateResponse update
        && update.getResult() == DocWriteResponse.Result.UPDATED
        && update.getGetResult() != null
        && update.getGetResult().sourceAsMap() != null) {
      GetResult get = update.getGetResult();
      Map<String, Object> source = get.sourceAsMap();
      fields.forEach(field -> FieldPaths.remove(source, field.name()));
      try (XContentBuilder builder = XContentFactory.jsonBuilder()) {
        update.setGetResult(
            new GetResult(
                get.getIndex(),
                get.getId(),
                get.getSeqNo(),
                get.getPrimaryTerm(),
                get.getVersion(),
                true,
                BytesReference.bytes(builder.map(source)),
                get.getDocumentFields(),
                get.getMetadataFields()));
      }
    }
    return response;
  }
}
