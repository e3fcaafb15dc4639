package org.densehook.elasticsearch.compat;

import java.util.Collection;
import java.util.Map;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;

/** A plugin with actions and processors. */
abstract class ActingPlugin extends Plugin implements ActionPlugin {

  /** Makes a processor. */
  @FunctionalInterface
  public interface ProcessorMaker {
    Processor create(String tag, String description, Map<String, Object> config);
  }

  /** Adds this plugin's actions. */
  protected abstract void registerActions(Actions actions);

  @Override
  public final Collection<ActionHandler> getActions() {
    Actions actions = new Actions();
    registerActions(actions);
    return actions.handlers();
  }

  /** A factory as the ingest service wants it. */
  protected static Processor.Factory processorFactory(ProcessorMaker maker) {
    return (factories, tag, description, config, project) -> maker.create(tag, description, config);
  }
}
