package org.densehook.elasticsearch.compat;

import java.util.List;
import org.elasticsearch.core.Releasable;
import org.elasticsearch.index.IndexingPressure;
import org.elasticsearch.plugins.Plugin.PluginServices;

/** The node's indexing pressure, against which bulks in flight are counted. */
public final class BulkPressure {

  private final IndexingPressure pressure;

  /** That of the node. */
  public BulkPressure(PluginServices services) {
    pressure = services.indexingPressure();
  }

  /** Registers what this version needs to find it: nothing. */
  public static void registerActions(Actions actions) {}

  /** The components that this version needs to find it: none. */
  public List<Object> components() {
    return List.of();
  }

  /** For a bulk that has taken nothing yet. */
  public Held hold() {
    return new Held(pressure.createCoordinatingOperation(false));
  }

  /** What one bulk takes, until it is closed. */
  public static final class Held implements Releasable {

    private final IndexingPressure.Coordinating operation;

    private Held(IndexingPressure.Coordinating operation) {
      this.operation = operation;
    }

    /**
     * Counts more of it.
     *
     * @throws org.elasticsearch.common.util.concurrent.EsRejectedExecutionException without room
     */
    public void add(long bytes) {
      operation.increment(1, bytes);
    }

    @Override
    public void close() {
      operation.close();
    }
  }
}
