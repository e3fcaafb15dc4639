package org.densehook.elasticsearch.mapping;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.densehook.elasticsearch.compat.Compat;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.service.EncoderFacts;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.IndicesRequest;
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
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.metadata.Template;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.Index;
import org.elasticsearch.threadpool.ThreadPool;

/** Reads the requests that say what vectors an index has. */
public final class MappingGuard {

  private final IndexVectorsCache indexVectors;
  private final IndexNameExpressionResolver indexNames;
  private final ClusterService clusterService;
  private final ClusterEncoders encoders;
  private final Executor executor;

  private MappingGuard(
      IndexVectorsCache indexVectors,
      IndexNameExpressionResolver indexNames,
      ClusterService clusterService,
      ClusterEncoders encoders,
      Executor executor) {
    this.indexVectors = indexVectors;
    this.indexNames = indexNames;
    this.clusterService = clusterService;
    this.encoders = encoders;
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
    ClusterEncoders encoders =
        new ClusterEncoders(local, client, threadPool.getThreadContext(), executor);
    MappingGuard guard =
        new MappingGuard(indexVectors, indexNames, clusterService, encoders, executor);
    return List.of(
        guard.filter(
            TransportPutMappingAction.TYPE.name(), PutMappingRequest.class, guard::putMapping),
        new AutoPutFilter(),
        guard.filter(
            TransportCreateIndexAction.TYPE.name(), CreateIndexRequest.class, guard::createIndex),
        guard.filter(RolloverAction.NAME, RolloverRequest.class, guard::rollover),
        guard.filter(
            TransportUpdateSettingsAction.TYPE.name(),
            UpdateSettingsRequest.class,
            guard::updateSettings),
        guard.filter(
            PutComponentTemplateAction.NAME,
            PutComponentTemplateAction.Request.class,
            (request, state) ->
                template(
                    "component template", request.name(), request.componentTemplate().template())),
        guard.filter(
            TransportPutComposableIndexTemplateAction.TYPE.name(),
            TransportPutComposableIndexTemplateAction.Request.class,
            (request, state) ->
                template("index template", request.name(), request.indexTemplate().template())),
        guard.filter(
            TransportPutIndexTemplateAction.TYPE.name(),
            PutIndexTemplateRequest.class,
            (request, state) ->
                template(
                    "template",
                    request.name(),
                    MappingBody.parse(request.mappings()),
                    request.settings())));
  }

  private <Q extends ActionRequest> MappedActionFilter filter(
      String actionName, Class<Q> type, MappingFilter.Reader<Q> reader) {
    return new MappingFilter<>(actionName, type, reader, clusterService, encoders, executor);
  }

  private Change putMapping(PutMappingRequest request, ClusterState state) {
    Map<String, Object> body = MappingBody.parse(request.source());
    List<IndexMetadata> indices = indices(request, state);
    if (body == null || indices.isEmpty()) {
      return null;
    }
    Map<String, Object> mapping = MappingBody.inner(body);
    Map<String, Object> meta = MappingBody.meta(mapping);
    List<Target> targets = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    Map<Map<String, Object>, List<String>> metas = new LinkedHashMap<>();
    Map<List<Object>, IndexVectors> read = new HashMap<>(); // many indices have one mapping
    for (IndexMetadata index : indices) {
      String name = index.getIndex().getName();
      IndexVectors before = indexVectors.of(index);
      KeptMeta kept = meta == null ? null : KeptMeta.over(before.stated(), meta);
      if (kept != null) {
        metas.computeIfAbsent(kept.meta(), same -> new ArrayList<>()).add(name);
        keptWarning(name, kept, warnings);
      }
      Object stated = kept == null ? before.stated() : kept.meta().get("densehook");
      if (stated != null || before.stated() != null) {
        IndexVectors after =
            read.computeIfAbsent(
                List.of(index.mapping() == null ? "" : index.mapping().source(), kept == null),
                same -> merged(index, mapping, kept));
        boolean embeds = EmbedSettings.embeds(index);
        targets.add(new Target("index [" + name + "]", name, before, after, embeds, embeds));
        changedWarnings(name, before, after, warnings);
      }
    }
    if (metas.size() > 1) {
      throw new IllegalArgumentException(
          "indices "
              + metas.values()
              + " do not state the same [densehook] in their mapping's _meta, and one _meta would"
              + " be put over all of them; put it index by index, or leave _meta out");
    }
    return targets.isEmpty()
        ? null
        : new Change(targets, warnings, () -> replaceMeta(request, body, metas));
  }

  private static void replaceMeta(
      PutMappingRequest request,
      Map<String, Object> body,
      Map<Map<String, Object>, List<String>> metas) {
    Map<String, Object> mapping = MappingBody.inner(body);
    for (Map<String, Object> meta : metas.keySet()) {
      if (!meta.equals(mapping.get("_meta"))) {
        mapping.put("_meta", meta);
        request.source(body);
      }
    }
  }

  private static void keptWarning(String index, KeptMeta kept, List<String> warnings) {
    if (!kept.kept().isEmpty()) {
      warnings.add(
          "index ["
              + index
              + "] keeps "
              + kept.kept()
              + " of its mapping's _meta, which the _meta put now does not state; to take "
              + (kept.wholly() ? "it" : "one")
              + " away, put it as null");
    }
  }

  private static void changedWarnings(
      String index, IndexVectors before, IndexVectors after, List<String> warnings) {
    for (EmbeddedField now : after.fields().values()) {
      EmbeddedField then = before.fields().get(now.name());
      if (then != null && !then.fingerprint().equals(now.fingerprint())) {
        warnings.add(
            "index ["
                + index
                + "]: the vectors that field ["
                + now.name()
                + "] holds already are of encoder ["
                + then.encoder()
                + "] ("
                + then.fingerprint()
                + "), not of ["
                + now.encoder()
                + "] ("
                + now.fingerprint()
                + "), until their documents are written again");
      }
    }
  }

  private static IndexVectors merged(
      IndexMetadata index, Map<String, Object> mapping, KeptMeta kept) {
    Map<String, Object> all = new HashMap<>();
    if (index.mapping() != null) {
      all.putAll(IndexVectorsCache.merged(List.of(index.mapping().source())));
    }
    Map<String, Object> changes = new HashMap<>(mapping);
    changes.remove("_meta"); // it is not merged but replaced
    XContentHelper.update(all, changes, false);
    if (kept != null) {
      all.put("_meta", kept.meta());
    }
    return new IndexVectors(all, false);
  }

  private Change createIndex(CreateIndexRequest request, ClusterState state) throws IOException {
    String name = IndexNameExpressionResolver.resolveDateMathExpression(request.index());
    return Compat.exists(state, name) ? null : newIndex(request, name, state);
  }

  private Change rollover(RolloverRequest request, ClusterState state) throws IOException {
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
    Settings settings = normalised(request.settings());
    Map<String, Object> mapping = MappingBody.inner(body);
    Map<String, Object> meta = MappingBody.meta(mapping);
    if ((meta == null || meta.get("densehook") == null) && !embeds(settings)) {
      return null; // what templates alone say, documents are told
    }
    Boolean hidden =
        IndexMetadata.INDEX_HIDDEN_SETTING.exists(settings)
            ? IndexMetadata.INDEX_HIDDEN_SETTING.get(settings)
            : null;
    Compat.IndexTemplate template = Compat.template(state, name, hidden);
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
            embeds(together)));
  }

  private Change updateSettings(UpdateSettingsRequest request, ClusterState state) {
    if (!embeds(normalised(request.settings()))) {
      return null;
    }
    List<Target> targets = new ArrayList<>();
    for (IndexMetadata index : indices(request, state)) {
      if (!EmbedSettings.embeds(index)) {
        String name = index.getIndex().getName();
        // what was only amiss before keeps documents out from now on
        targets.add(
            new Target("index [" + name + "]", name, null, indexVectors.of(index), false, true));
      }
    }
    return targets.isEmpty() ? null : new Change(targets, List.of(), () -> {});
  }

  private static Change template(String kind, String name, Template template) {
    CompressedXContent mappings = template == null ? null : template.mappings();
    return mappings == null
        ? null
        : template(kind, name, MappingBody.parse(mappings.string()), template.settings());
  }

  private static Change template(
      String kind, String name, Map<String, Object> body, Settings settings) {
    Map<String, Object> meta = body == null ? null : MappingBody.meta(MappingBody.inner(body));
    if (meta == null || meta.get("densehook") == null) {
      return null;
    }
    return Change.of(
        new Target(
            kind + " [" + name + "]",
            null,
            null,
            new IndexVectors(MappingBody.inner(body), false),
            false,
            settings != null && embeds(normalised(settings))));
  }

  /** The indices a request is for; none where Elasticsearch is to say that there are none. */
  private List<IndexMetadata> indices(IndicesRequest request, ClusterState state) {
    List<IndexMetadata> found = new ArrayList<>();
    try {
      for (Index index : concreteIndices(request, state)) {
        IndexMetadata metadata = index == null ? null : Compat.index(state, index);
        if (metadata != null) {
          found.add(metadata);
        }
      }
    } catch (ElasticsearchException | IllegalArgumentException e) {
      return List.of();
    }
    return found;
  }

  private Index[] concreteIndices(IndicesRequest request, ClusterState state) {
    if (request instanceof PutMappingRequest put && put.getConcreteIndex() != null) {
      return new Index[] {put.getConcreteIndex()};
    }
    if (request instanceof PutMappingRequest put && put.writeIndexOnly()) {
      List<Index> found = new ArrayList<>();
      for (String name : put.indices()) {
        found.add(
            indexNames.concreteWriteIndex(
                state,
                put.indicesOptions(),
                name,
                put.indicesOptions().allowNoIndices(),
                put.includeDataStreams()));
      }
      return found.toArray(Index[]::new);
    }
    return indexNames.concreteIndices(state, request);
  }

  /** Settings as Elasticsearch reads them: {@code index.} may be left out. */
  private static Settings normalised(Settings settings) {
    return Settings.builder()
        .put(settings)
        .normalizePrefix(IndexMetadata.INDEX_SETTING_PREFIX)
        .build();
  }

  private static boolean embeds(Settings settings) {
    try {
      return EmbedSettings.EMBED.get(settings);
    } catch (IllegalArgumentException e) { // no boolean; Elasticsearch says so
      return false;
    }
  }
}
