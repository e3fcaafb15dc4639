package org.densehook.elasticsearch.compat;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.cluster.metadata.IndexAbstraction;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestHandler;

/** A plugin with actions and endpoints. */
public abstract class CompatPlugin extends Plugin implements ActionPlugin {

  /** Makes a processor; {@code writeIndex} gives the index that a name writes to, or null. */
  @FunctionalInterface
  public interface ProcessorMaker {
    Processor create(
        String tag,
        String description,
        Map<String, Object> config,
        Function<String, IndexMetadata> writeIndex)
        throws Exception;
  }

  /** Adds this plugin's actions. */
  protected abstract void registerActions(Actions actions);

  /** This plugin's endpoints. */
  protected abstract List<RestHandler> restHandlers();

  @Override
  public final Collection<ActionHandler> getActions() {
    Actions actions = new Actions();
    registerActions(actions);
    return actions.handlers();
  }

  @Override
  public final Collection<RestHandler> getRestHandlers(
      RestHandlersServices services,
      Supplier<DiscoveryNodes> nodes,
      Predicate<NodeFeature> supports) {
    return restHandlers();
  }

  /** A factory as the ingest service wants it. */
  protected static Processor.Factory processorFactory(
      Supplier<ClusterService> clusterService, ProcessorMaker maker) {
    return (factories, tag, description, config, projectId) ->
        maker.create(
            tag,
            description,
            config,
            name -> {
              var project = clusterService.get().state().metadata().getProject(projectId);
              IndexAbstraction named = project.getIndicesLookup().get(name);
              return named == null || named.getWriteIndex() == null
                  ? null
                  : project.index(named.getWriteIndex());
            });
  }
}
