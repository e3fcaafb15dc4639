package org.densehook.elasticsearch.write;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.filter.RequestFilter;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldPaths;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.vectors.PartialDocument;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteResponse;
import org.elasticsearch.action.update.TransportUpdateAction;
import org.elasticsearch.action.update.UpdateRequest;
import org.elasticsearch.action.update.UpdateResponse;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.index.get.GetResult;
import org.elasticsearch.plugins.Plugin.PluginServices;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentFactory;

/**
 * Looks at single updates, which Elasticsearch merges on the node of the primary and then sends
 * through {@link EmbedBulkFilter} like any document.
 *
 * <p>A vector that the client brings must not take on the note of the one that it replaces, and the
 * document that an update answers with, which Elasticsearch keeps from before the new vectors were
 * made, must not show the old ones.
 */
final class EmbedUpdateFilter extends RequestFilter<UpdateRequest, UpdateResponse> {

  private final IndexVectorsCache indexVectors;
  private final ClusterService clusterService;
  private final IndexNameExpressionResolver indexNames;

  EmbedUpdateFilter(IndexVectorsCache indexVectors, PluginServices services) {
    super(TransportUpdateAction.NAME, UpdateRequest.class);
    this.indexVectors = indexVectors;
    clusterService = services.clusterService();
    indexNames = services.indexNameExpressionResolver();
  }

  @Override
  protected void apply(
      Task task,
      UpdateRequest request,
      ActionListener<UpdateResponse> listener,
      Next<UpdateResponse> next) {
    if (request.doc() != null) {
      disown(request);
    }
    next.proceed(listener.map(this::withoutVectors));
  }

  private void disown(UpdateRequest update) {
    IndexMetadata index = writeIndex(update);
    Collection<EmbeddedField> fields =
        index == null ? List.of() : indexVectors.of(index).fields().values();
    if (fields.isEmpty()) {
      return;
    }
    try {
      Map<String, Object> partial = update.doc().sourceAsMap();
      if (PartialDocument.disown(partial, fields)) {
        update.doc().source(partial, update.doc().getContentType());
      }
    } catch (Exception e) {
      // the document cannot be read; the action says why
    }
  }

  /** The index that an update goes to, or null. */
  private IndexMetadata writeIndex(UpdateRequest update) {
    ClusterState state = clusterService.state();
    try {
      return StateMetadata.index(
          state,
          indexNames.concreteWriteIndex(
              state, update.indicesOptions(), update.index(), false, update.includeDataStreams()));
    } catch (Exception e) { // the action says what is wrong with the name
      return null;
    }
  }

  private UpdateResponse withoutVectors(UpdateResponse update) throws IOException {
    if (update.getResult() == DocWriteResponse.Result.UPDATED
        && update.getGetResult() != null
        && update.getGetResult().sourceAsMap() != null) {
      IndexMetadata index =
          StateMetadata.index(clusterService.state(), update.getShardId().getIndex());
      IndexVectors vectors = index == null ? null : indexVectors.of(index);
      if (vectors != null && !vectors.fields().isEmpty()) {
        update.setGetResult(without(vectors, update.getGetResult()));
      }
    }
    return update;
  }

  /** The document of an answer without its vectors and what they were made of. */
  static GetResult without(IndexVectors vectors, GetResult got) throws IOException {
    Map<String, Object> source = got.sourceAsMap();
    source.remove(IndexVectors.NOTES);
    vectors.fields().values().forEach(field -> FieldPaths.remove(source, field.path()));
    try (XContentBuilder builder = XContentFactory.jsonBuilder()) {
      return new GetResult(
          got.getIndex(),
          got.getId(),
          got.getSeqNo(),
          got.getPrimaryTerm(),
          got.getVersion(),
          true,
          BytesReference.bytes(builder.map(source)),
          got.getDocumentFields(),
          got.getMetadataFields());
    }
  }
}
