package org.densehook.elasticsearch.vectors;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.densehook.elasticsearch.compat.Base64Vectors;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateListener;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.mapper.MapperService;
import org.elasticsearch.xcontent.XContentType;

/**
 * What mappings say of vectors, each read once: indices of one content share it, as those behind an
 * alias mostly do, and another version of a mapping is another content.
 *
 * <p>What {@link #warming} keeps up with the cluster's state needs no reading when a search or a
 * write asks for it: mappings that state vectors are read when they appear, and what no index has
 * any longer is let go.
 */
public final class IndexVectorsCache {

  private static final Logger logger = LogManager.getLogger(IndexVectorsCache.class);
  private static final String TYPE = MapperService.SINGLE_MAPPING_NAME;

  /** Fields of all mappings together that are kept; two references each, the rest is shared. */
  private static final long MOST_FIELDS = 4_000_000;

  private record Content(
      List<CompressedXContent> mappings, boolean takesBase64, boolean ofTemplate) {}

  private final long mostFields;
  private final SharedValues<String> paths = new SharedValues<>();
  private final SharedValues<MappedField> definitions = new SharedValues<>();
  private final AtomicReference<ClusterState> toSee = new AtomicReference<>();

  // those asked for last stay; all below is guarded by it
  private final Map<Content, IndexVectors> byContent = new LinkedHashMap<>(16, 0.75f, true);
  private final Set<Content> withoutVectors = new HashSet<>(); // so that nobody looks again
  private long kept;

  public IndexVectorsCache() {
    this(MOST_FIELDS);
  }

  IndexVectorsCache(long mostFields) {
    this.mostFields = mostFields;
  }

  /** What an index says; reads its mapping when nobody has asked for it yet. */
  public IndexVectors of(IndexMetadata index) {
    Content content = content(index);
    return content == null ? IndexVectors.NONE : of(content);
  }

  /** What an index says, or null when its mapping must be read first, which takes time. */
  public IndexVectors known(IndexMetadata index) {
    Content content = content(index);
    return content == null ? IndexVectors.NONE : find(content);
  }

  /** What a template's mappings state together, the later over the earlier. */
  public IndexVectors of(List<CompressedXContent> mappings) {
    return mappings.isEmpty() ? IndexVectors.NONE : of(new Content(mappings, false, true));
  }

  /**
   * Keeps up with the cluster's state.
   *
   * @param executor where mappings are read, one at a time; never the thread that applies states
   */
  public ClusterStateListener warming(Executor executor) {
    return event -> {
      // whoever is busy sees the newest state when it is done
      if (event.metadataChanged() && toSee.getAndSet(event.state()) == null) {
        executor.execute(this::seeStates);
      }
    };
  }

  private void seeStates() {
    ClusterState state = toSee.get();
    while (true) {
      try {
        see(StateMetadata.indices(state));
      } catch (RuntimeException e) { // of the next state more may be true
        logger.warn("mappings could not be read ahead; they are when they are asked for", e);
      }
      if (toSee.compareAndSet(state, null)) {
        return;
      }
      state = toSee.get();
    }
  }

  /** Reads what is new and states vectors, and lets go what is gone. */
  void see(Iterable<IndexMetadata> indices) {
    Set<Content> there = new HashSet<>();
    for (IndexMetadata index : indices) {
      Content content = content(index);
      if (content != null && there.add(content)) {
        warm(content);
      }
    }
    synchronized (byContent) {
      withoutVectors.retainAll(there);
      Iterator<Map.Entry<Content, IndexVectors>> entries = byContent.entrySet().iterator();
      while (entries.hasNext()) {
        Map.Entry<Content, IndexVectors> entry = entries.next();
        if (!entry.getKey().ofTemplate && !there.contains(entry.getKey())) {
          entries.remove();
          kept -= weight(entry.getValue());
        }
      }
    }
  }

  private void warm(Content content) {
    synchronized (byContent) {
      if (kept >= mostFields
          || withoutVectors.contains(content)
          || byContent.containsKey(content)) {
        return;
      }
    }
    if (mentionsVectors(content)) {
      of(content);
    } else {
      synchronized (byContent) {
        withoutVectors.add(content);
      }
    }
  }

  private static boolean mentionsVectors(Content content) {
    return content.mappings.stream()
        .anyMatch(mapping -> mapping.uncompressed().utf8ToString().contains("\"densehook\""));
  }

  private static Content content(IndexMetadata index) {
    MappingMetadata mapping = index.mapping();
    return mapping == null
        ? null
        : new Content(List.of(mapping.source()), Base64Vectors.taken(index), false);
  }

  private IndexVectors of(Content content) {
    IndexVectors known = find(content);
    if (known != null) {
      return known;
    }
    IndexVectors read = read(content); // with nobody waiting; two may read the same at once
    synchronized (byContent) {
      IndexVectors before = byContent.put(content, read);
      kept += weight(read) - (before == null ? 0 : weight(before));
      Iterator<IndexVectors> eldest = byContent.values().iterator();
      while (kept > mostFields && byContent.size() > 1) {
        kept -= weight(eldest.next());
        eldest.remove();
      }
    }
    return read;
  }

  private IndexVectors find(Content content) {
    synchronized (byContent) {
      return byContent.get(content);
    }
  }

  private static long weight(IndexVectors vectors) {
    return 10 + vectors.mapped().size(); // one without fields takes room too
  }

  private IndexVectors read(Content content) {
    return new IndexVectors(
        merged(content.mappings), content.takesBase64, paths::of, definitions::of);
  }

  /** What mappings state together, the later over the earlier. */
  public static Map<String, Object> merged(List<CompressedXContent> mappings) {
    Map<String, Object> merged = new HashMap<>();
    for (CompressedXContent mapping : mappings) {
      Map<String, Object> parsed =
          XContentHelper.convertToMap(mapping.uncompressed(), true, XContentType.JSON).v2();
      Object inner = parsed.getOrDefault(TYPE, parsed); // most are wrapped in their type
      XContentHelper.update(merged, Map.of(TYPE, inner), false);
    }
    return asObject(merged.get(TYPE));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asObject(Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }
}
