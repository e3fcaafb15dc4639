import java.util.Map;
import java.util.Set;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.features.FeatureSpecification;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.TextFieldMapper;
import org.elasticsearch.plugins.MapperPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * Says that the node has failure stores: the server can keep them, and has data streams, but waits
 * for a module to say so that the smallest distribution lacks.
 */
public final class FailureStorePlugin extends Plugin implements MapperPlugin {

  /** A store's index maps a message as a type of another module, for which text stands in. */
  @Override
  public Map<String, Mapper.TypeParser> getMappers() {
    return Map.of("match_only_text", TextFieldMapper.PARSER);
  }

  /** What is said, found as a service. */
  public static final class Features implements FeatureSpecification {

    @Override
    public Set<NodeFeature> getFeatures() {
      return Set.of(DataStream.DATA_STREAM_FAILURE_STORE_FEATURE);
    }
  }
}
