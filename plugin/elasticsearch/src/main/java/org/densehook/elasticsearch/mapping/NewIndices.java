package org.densehook.elasticsearch.mapping;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.admin.indices.create.CreateIndexRequest;
import org.elasticsearch.action.admin.indices.rollover.RolloverRequest;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.xcontent.XContentHelper;

/** What requests that make indices say of vectors, on top of what templates do. */
final class NewIndices {

  private final IndexNameExpressionResolver indexNames;

  NewIndices(IndexNameExpressionResolver indexNames) {
    this.indexNames = indexNames;
  }

  /** What the making of an index does. */
  Change created(CreateIndexRequest request, ClusterState state) throws IOException {
    String name = IndexNameExpressionResolver.resolveDateMathExpression(request.index());
    return StateMetadata.of(state).hasIndexAbstraction(name)
        ? null
        : newIndex(request, name, state);
  }

  /** What a rollover does, by the index that it makes. */
  Change rolledOver(RolloverRequest request, ClusterState state) throws IOException {
    String name = request.getNewIndexName();
    if (name == null) {
      try {
        name =
            indexNames
                .concreteWriteIndex(
                    state, request.indicesOptions(), request.getRolloverTarget(), false, true)
                .getName(); // the next one is called much the same
      } catch (ElasticsearchException | IllegalArgumentException e) {
        return null;
      }
    }
    return newIndex(
        request.getCreateIndexRequest(),
        IndexNameExpressionResolver.resolveDateMathExpression(name),
        state);
  }

  /** What a request itself says of a new index, on top of what its template does. */
  private Change newIndex(CreateIndexRequest request, String name, ClusterState state)
      throws IOException {
    Map<String, Object> body = MappingBody.parse(request.mappings());
    if (body == null) {
      return null;
    }
    Settings settings = RequestedSettings.normalised(request.settings());
    Map<String, Object> mapping = MappingBody.inner(body);
    Map<String, Object> meta = MappingBody.meta(mapping);
    if ((meta == null || meta.get("densehook") == null) && !RequestedSettings.embed(settings)) {
      return null; // what templates alone say, documents are told
    }
    Boolean hidden =
        IndexMetadata.INDEX_HIDDEN_SETTING.exists(settings)
            ? IndexMetadata.INDEX_HIDDEN_SETTING.get(settings)
            : null;
    IndexTemplate template = IndexTemplate.of(state, name, hidden);
    Map<String, Object> all = new HashMap<>(IndexVectorsCache.merged(template.mappings()));
    XContentHelper.update(all, mapping, false);
    Settings together = Settings.builder().put(template.settings()).put(settings).build();
    return Change.of(
        new Target(
            "index [" + name + "]",
            name,
            null,
            new IndexVectors(all, false),
            false,
            RequestedSettings.embed(together)));
  }
}
