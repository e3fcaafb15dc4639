package org.densehook.elasticsearch.compat;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.cluster.metadata.IndexAbstraction;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.metadata.Metadata;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;

/** A plugin with actions and endpoints. */
public abstract class CompatPlugin extends Plugin implements ActionPlugin {

  /** Makes a processor. */
  @FunctionalInterface
  public interface ProcessorMaker {
    Processor create(
        String tag, String description, Map<String, Object> config, Destinations destinations)
        throws Exception;
  }

  /** What is known of where documents go, by the name they are sent to. */
  public interface Destinations {

    /** The index a name writes to, or null. */
    IndexMetadata writeIndex(String name);

    /** The mappings that an index of this name is made with, the later over the earlier. */
    List<CompressedXContent> templateMappings(String name) throws Exception;
  }

  /** Adds this plugin's actions. */
  protected abstract void registerActions(Actions actions);

  /** This plugin's endpoints. */
  protected abstract List<RestHandler> restHandlers();

  @Override
  public final Collection<ActionHandler<? extends ActionRequest, ? extends ActionResponse>>
      getActions() {
    Actions actions = new Actions();
    registerActions(actions);
    return actions.handlers();
  }

  @Override
  public final Collection<RestHandler> getRestHandlers(
      Settings settings,
      NamedWriteableRegistry namedWriteables,
      RestController controller,
      ClusterSettings clusterSettings,
      IndexScopedSettings indexScopedSettings,
      SettingsFilter settingsFilter,
      IndexNameExpressionResolver resolver,
      Supplier<DiscoveryNodes> nodes,
      Predicate<NodeFeature> supports) {
    return restHandlers();
  }

  /** A factory as the ingest service wants it. */
  protected static Processor.Factory processorFactory(
      Supplier<ClusterService> clusterService, ProcessorMaker maker) {
    return (factories, tag, description, config) ->
        maker.create(
            tag,
            description,
            config,
            new ClusterDestinations(() -> clusterService.get().state().metadata()));
  }

  /** As the cluster's state has it when it is asked. */
  private record ClusterDestinations(Supplier<Metadata> state) implements Destinations {

    @Override
    public IndexMetadata writeIndex(String name) {
      Metadata metadata = state.get();
      IndexAbstraction named = metadata.getIndicesLookup().get(name);
      return named == null || named.getWriteIndex() == null
          ? null
          : metadata.index(named.getWriteIndex());
    }

    @Override
    public List<CompressedXContent> templateMappings(String name) throws Exception {
      Metadata metadata = state.get();
      String template = MetadataIndexTemplateService.findV2Template(metadata, name, false);
      return template == null
          ? List.of()
          : MetadataIndexTemplateService.collectMappings(
              metadata.templatesV2().get(template), metadata.componentTemplates(), name);
    }
  }
}
