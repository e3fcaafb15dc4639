package org.densehook.elasticsearch.ingest;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.StateMetadata;
import org.densehook.elasticsearch.mapping.IndexTemplate;
import org.densehook.elasticsearch.service.EncoderHandle;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.densehook.elasticsearch.vectors.FieldFormat;
import org.densehook.elasticsearch.vectors.IndexVectors;
import org.densehook.elasticsearch.vectors.IndexVectors.MappedField;
import org.densehook.elasticsearch.vectors.IndexVectorsCache;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexAbstraction;
import org.elasticsearch.cluster.metadata.IndexMetadata;

/**
 * Where a document goes.
 *
 * @param index null where the document is about to make it
 * @param vectors what its mapping says, or that of the template it is made from
 */
record Destination(IndexMetadata index, IndexVectors vectors) {

  private static final Set<String> OBJECTS = Set.of("object", "nested", "passthrough");

  /** What a mapping says where nothing that it does not name gets a type. */
  private static final Set<String> NOT_DYNAMIC = Set.of("false", "strict");

  // an array of so many floats Elasticsearch maps as dense_vector by itself
  private static final int LEAST_DIMS = 128;
  private static final int MOST_DIMS = 4096;

  /** Looks up what a document has as its {@code _index}. */
  static Destination of(ClusterState state, String name, IndexVectorsCache indexVectors)
      throws IOException {
    var metadata = StateMetadata.of(state);
    IndexAbstraction named = metadata.getIndicesLookup().get(name);
    IndexMetadata index =
        named == null || named.getWriteIndex() == null
            ? null
            : metadata.index(named.getWriteIndex());
    return new Destination(
        index,
        index == null
            ? indexVectors.of(IndexTemplate.of(state, name, null).mappings())
            : indexVectors.of(index));
  }

  /**
   * Refuses a field that the index does not map, where Elasticsearch would give it another type
   * than its values are of: of weights by token, a field for each token. What is written into an
   * index that is not there yet, or is kept without a type, passes.
   *
   * @throws IllegalArgumentException saying how to map it
   */
  void requireType(EmbeddedField field, EncoderHandle encoder) {
    String name = field.name();
    if (index == null
        || FieldFormat.mapped(vectors, name) != null
        || isMappedAlike(field.format(), encoder)
        || !isMappedByContent(name)) {
      return;
    }
    throw new IllegalArgumentException(
        "field ["
            + name
            + "] is not mapped in index ["
            + index.getIndex().getName()
            + "], and Elasticsearch by itself does not map it as ["
            + field.format().type()
            + "], which encoder ["
            + encoder.name()
            + "] writes; map it so");
  }

  private static boolean isMappedAlike(FieldFormat format, EncoderHandle encoder) {
    int dims = encoder.dims(encoder.giving(format.kind()));
    return format.kind() == Kind.DENSE && dims >= LEAST_DIMS && dims <= MOST_DIMS;
  }

  /** Whether a field gets a type by what the first document has there. */
  private boolean isMappedByContent(String path) {
    if (path.startsWith("_")) { // of the pipeline's own, as _ingest._value of foreach
      return false;
    }
    Map<String, Object> mapping =
        index.mapping() == null ? Map.of() : index.mapping().sourceAsMap();
    if (isDisabled(mapping) || mapping.containsKey("dynamic_templates")) { // which may say it
      return false;
    }
    Object dynamic = mapping.get("dynamic");
    for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
      MappedField above = vectors.field(path.substring(0, dot));
      if (above != null) {
        if (!OBJECTS.contains(above.type()) || isDisabled(above.definition())) {
          return false;
        }
        dynamic = above.definition().getOrDefault("dynamic", dynamic);
      }
    }
    return dynamic == null || !NOT_DYNAMIC.contains(dynamic.toString());
  }

  private static boolean isDisabled(Map<String, Object> definition) {
    return "false".equals(String.valueOf(definition.get("enabled")));
  }
}
