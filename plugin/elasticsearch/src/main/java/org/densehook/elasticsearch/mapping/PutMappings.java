package org.densehook.elasticsearch.mapping;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.densehook.elasticsearch.mapping.Change.Target;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.densehook.elasticsearch.write.EmbedSettings;
import org.elasticsearch.action.admin.indices.mapping.put.PutMappingRequest;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.Index;

/**
 * What a {@code PUT _mapping} makes of mappings: what their {@code _meta} says of vectors stays.
 */
final class PutMappings implements MappingFilter.Reader<PutMappingRequest> {

  private final IndexVectorsCache indexVectors;
  private final RequestedIndices requested;

  PutMappings(IndexVectorsCache indexVectors, RequestedIndices requested) {
    this.indexVectors = indexVectors;
    this.requested = requested;
  }

  /** Two at a time could each keep what the other is about to replace. */
  @Override
  public Set<Index> alone(PutMappingRequest request, ClusterState state) {
    Map<String, Object> body = MappingBody.parse(request.source());
    return body == null || MappingBody.meta(MappingBody.inner(body)) == null
        ? Set.of()
        : requested.indices(request, state).stream()
            .map(IndexMetadata::getIndex)
            .collect(Collectors.toSet());
  }

  @Override
  public Change read(PutMappingRequest request, ClusterState state) {
    Map<String, Object> body = MappingBody.parse(request.source());
    List<IndexMetadata> indices = requested.indices(request, state);
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
}
