package org.densehook.elasticsearch.compat;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestHandler;

/** A plugin with actions and endpoints. */
public abstract class CompatPlugin extends Plugin implements ActionPlugin {

  /** Makes a processor. */
  @FunctionalInterface
  public interface ProcessorMaker {
    Processor create(String tag, String description, Map<String, Object> config);
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
  protected static Processor.Factory processorFactory(ProcessorMaker maker) {
    return (factories, tag, description, config, project) -> maker.create(tag, description, config);
  }
}
