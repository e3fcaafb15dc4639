package org.densehook.elasticsearch.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRunnable;
import org.elasticsearch.action.OriginalIndices;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.action.support.GroupedActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.query.QueryRewriteContext;

/** What the mappings of a search's indices say, those of other clusters too. */
final class SearchedIndices {

  private SearchedIndices() {}

  /**
   * What a query or a retriever needs to know to be rewritten: at once where it is known, else the
   * rewrite waits for it.
   *
   * @return what is known; null as long as that is awaited
   */
  static Supplier<List<SearchedIndex>> of(
      SearchServices services, ResolvedIndices indices, QueryRewriteContext context) {
    List<SearchedIndex> known = known(services, indices);
    return known != null
        ? () -> known
        : Awaited.by(context, (client, listener) -> read(services, client, indices, listener));
  }

  /** What is known at once, or null where a mapping is to be read, or asked for, first. */
  private static List<SearchedIndex> known(SearchServices services, ResolvedIndices indices) {
    return indices.getRemoteClusterIndices().isEmpty()
        ? known(services, indices.getConcreteLocalIndicesMetadata().values())
        : null;
  }

  static List<SearchedIndex> known(SearchServices services, Collection<IndexMetadata> local) {
    List<SearchedIndex> searched = new ArrayList<>(local.size());
    for (IndexMetadata index : local) {
      IndexVectors vectors = services.indexVectors().known(index);
      if (vectors == null) {
        return null;
      }
      searched.add(local(services, index, vectors));
    }
    return searched;
  }

  /** Reads the mappings on a thread that may take its time, and asks other clusters for theirs. */
  private static void read(
      SearchServices services,
      Client client,
      ResolvedIndices indices,
      ActionListener<List<SearchedIndex>> listener) {
    Map<String, OriginalIndices> remote = indices.getRemoteClusterIndices();
    GroupedActionListener<List<SearchedIndex>> gathered =
        new GroupedActionListener<>(
            1 + remote.size(),
            listener.map(parts -> parts.stream().flatMap(List::stream).toList()));
    read(services, indices.getConcreteLocalIndicesMetadata().values(), gathered);
    remote.forEach(
        (cluster, names) ->
            RemoteMappings.ask(
                client,
                services.generic(),
                cluster,
                names,
                gathered.map(mappings -> remote(services, cluster, mappings))));
  }

  static void read(
      SearchServices services,
      Collection<IndexMetadata> local,
      ActionListener<List<SearchedIndex>> listener) {
    services
        .generic()
        .execute(
            ActionRunnable.supply(
                listener,
                () ->
                    local.stream()
                        .map(index -> local(services, index, services.indexVectors().of(index)))
                        .toList()));
  }

  private static SearchedIndex local(
      SearchServices services, IndexMetadata index, IndexVectors vectors) {
    String name = index.getIndex().getName();
    return new SearchedIndex(
        name,
        vectors,
        () -> IndexSettings.DEFAULT_FIELD_SETTING.get(index.getSettings()),
        services.fieldFilter().apply(name));
  }

  /** Another cluster gives mappings without what the caller may not see there. */
  private static List<SearchedIndex> remote(
      SearchServices services, String cluster, Map<String, MappingMetadata> mappings) {
    List<SearchedIndex> searched = new ArrayList<>();
    mappings.forEach(
        (name, mapping) ->
            searched.add(
                new SearchedIndex(
                    cluster + ":" + name,
                    services.indexVectors().of(List.of(mapping.source())),
                    () -> List.of("*"),
                    field -> true)));
    return searched;
  }
}
