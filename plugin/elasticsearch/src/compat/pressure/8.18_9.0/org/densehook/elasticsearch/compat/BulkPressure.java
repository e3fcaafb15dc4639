package org.densehook.elasticsearch.compat;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.SetOnce;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.TransportAction;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.core.Releasable;
import org.elasticsearch.core.Releasables;
import org.elasticsearch.index.IndexingPressure;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.plugins.Plugin.PluginServices;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.transport.TransportService;

/**
 * The node's indexing pressure, against which bulks in flight are counted. This version hands it to
 * actions and not to plugins, so an action that nobody calls brings it.
 */
public final class BulkPressure {

  private static final ActionType<ActionResponse.Empty> TYPE =
      new ActionType<>("internal:densehook/pressure");

  private final SetOnce<IndexingPressure> pressure = new SetOnce<>();

  /** That of the node, once its actions are made. */
  public BulkPressure(PluginServices services) {}

  /** Registers what this version needs to find it. */
  public static void registerActions(Actions actions) {
    actions.add(TYPE, Bringing.class);
  }

  /** The components that this version needs to find it. */
  public List<Object> components() {
    return List.of(this);
  }

  /** For a bulk that has taken nothing yet. */
  public Held hold() {
    return new Held(pressure.get());
  }

  /** What one bulk takes, until it is closed. */
  public static final class Held implements Releasable {

    private final IndexingPressure pressure;
    private final List<Releasable> operations = new ArrayList<>();

    private Held(IndexingPressure pressure) {
      this.pressure = pressure;
    }

    /**
     * Counts more of it.
     *
     * @throws org.elasticsearch.common.util.concurrent.EsRejectedExecutionException without room
     */
    public void add(long bytes) {
      operations.add(pressure.markCoordinatingOperationStarted(1, bytes, false));
    }

    @Override
    public void close() {
      Releasables.close(operations);
    }
  }

  /** A request that nobody sends. */
  static final class Nothing extends ActionRequest {

    @Override
    public ActionRequestValidationException validate() {
      return null;
    }
  }

  /** Made with the node, which is all it is for. */
  public static final class Bringing extends TransportAction<Nothing, ActionResponse.Empty> {

    @Inject
    public Bringing(
        ActionFilters filters,
        TransportService transport,
        IndexingPressure indexingPressure,
        BulkPressure wanted) {
      super(TYPE.name(), filters, transport.getTaskManager(), EsExecutors.DIRECT_EXECUTOR_SERVICE);
      wanted.pressure.set(indexingPressure);
    }

    @Override
    protected void doExecute(
        Task task, Nothing request, ActionListener<ActionResponse.Empty> listener) {
      listener.onResponse(ActionResponse.Empty.INSTANCE);
    }
  }
}
