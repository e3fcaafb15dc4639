package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiConsumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.densehook.bundle.Kind;
import org.densehook.elasticsearch.compat.Actions;
import org.densehook.encode.Content;
import org.densehook.encode.EncodeException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.collect.Iterators;
import org.elasticsearch.common.component.AbstractLifecycleComponent;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.node.Node;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.threadpool.ThreadPool;

/** Puts the bundles of this node into service, and takes requests to them. */
public final class EncoderService extends AbstractLifecycleComponent implements NodeEncoders {

  private static final Logger logger = LogManager.getLogger(EncoderService.class);

  private final BundleFolder bundles;
  private final EncoderRegistry registry;
  private final EncoderSettings settings;
  private final NodeSchedule schedule;
  private final ThreadPool threadPool;
  private final Object loading = new Object();

  /**
   * Nothing is loaded before {@link #start}.
   *
   * @param folder where bundles lie, one folder each
   * @param natives where the native libraries lie, in a folder of their platform
   */
  public EncoderService(
      Path folder,
      Path natives,
      Settings settings,
      ClusterSettings clusterSettings,
      ThreadPool threadPool) {
    this.bundles = new BundleFolder(folder, natives);
    this.registry = new EncoderRegistry(Node.NODE_NAME_SETTING.get(settings));
    this.settings = new EncoderSettings(settings, clusterSettings);
    this.schedule = NodeSchedule.of(settings, threadPool);
    this.threadPool = threadPool;
  }

  /** The actions that look after encoders. */
  public static void registerActions(Actions actions) {
    actions.add(TransportEncodersAction.Get.TYPE, TransportEncodersAction.Get.class);
    actions.add(TransportEncodersAction.Reload.TYPE, TransportEncodersAction.Reload.class);
    actions.add(EncodeAction.TYPE, EncodeAction.Transport.class);
    actions.add(ManifestAction.TYPE, ManifestAction.Transport.class);
  }

  @Override
  protected void doStart() {
    reload(ActionListener.noop());
  }

  @Override
  protected void doStop() {
    registry.close();
  }

  @Override
  protected void doClose() {}

  /**
   * Looks for new, changed and removed bundles; those in service and unchanged stay as they are.
   *
   * @param listener called, on a thread of Elasticsearch's, when each has been loaded or refused
   */
  void reload(ActionListener<Void> listener) {
    ActionListener<Void> inContext = preserved(listener);
    Runnable reload =
        () -> {
          Exception failure = null;
          try {
            synchronized (loading) {
              loadAll();
            }
          } catch (Throwable e) { // this is no thread of Elasticsearch's: nothing else would tell
            EncoderInService.dieOfExhaustedHeap(e);
            logger.error("the encoders in [{}] cannot be loaded", bundles, e);
            failure = e instanceof Exception exception ? exception : new RuntimeException(e);
          }
          Exception seen = failure;
          schedule.tell(
              () -> {
                if (seen == null) {
                  inContext.onResponse(null);
                } else {
                  inContext.onFailure(seen);
                }
              });
        };
    start("densehook[reload]", reload);
  }

  private void loadAll() throws IOException, InterruptedException {
    List<Path> found = bundles.all();
    List<String> names = found.stream().map(path -> path.getFileName().toString()).toList();
    for (String gone : registry.names()) {
      if (!names.contains(gone)) {
        remove(gone);
      }
    }
    List<Thread> loaders = new ArrayList<>();
    for (Path bundle : found) {
      String name = bundle.getFileName().toString();
      if (!registry.announce(name)) {
        break;
      }
      loaders.add(start("densehook[load][" + name + "]", () -> load(bundle)));
    }
    for (Thread loader : loaders) {
      loader.join();
    }
  }

  /** Loads a bundle unless it is the one in service; never throws. */
  private void load(Path path) {
    String name = path.getFileName().toString();
    EncoderRegistry.Slot before = registry.get(name);
    String manifest = null;
    try {
      manifest = BundleFolder.readManifest(path);
      if (before.isInService(manifest)) {
        return;
      }
      EncoderInService opened =
          new EncoderInService(
              bundles.open(path, name, settings.threads()), settings, schedule, threadPool);
      if (!registry.put(name, new EncoderRegistry.Slot(true, manifest, null, opened))) {
        opened.retire();
        return;
      }
      NativeHeap.trim();
      logger.info("encoder [{}] is in service, {}", name, opened.fingerprint());
      if (before.encoder() != null) {
        before.encoder().retire();
      }
    } catch (Throwable e) { // a native library may throw an Error, which would end a node
      EncoderInService.dieOfExhaustedHeap(e);
      String reason = BundleFolder.reason(e);
      registry.put(name, new EncoderRegistry.Slot(true, manifest, reason, before.encoder()));
      logger.error("encoder [{}] in [{}] is refused: {}", name, path, reason);
      logger.debug("where the refusal of [" + name + "] came from", e);
    }
  }

  private void remove(String name) {
    EncoderRegistry.Slot slot = registry.remove(name);
    if (slot != null && slot.encoder() != null) {
      slot.encoder().retire();
      logger.info("encoder [{}] is out of service: its bundle is gone", name);
    }
  }

  private static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  @Override
  public EncoderHandle require(String name) {
    return registry.require(name, encoder -> !encoder.kind().isOfPairs());
  }

  @Override
  public EncoderHandle require(String name, Kind wanted) {
    return registry.require(
        name, encoder -> encoder.kinds().stream().anyMatch(each -> each.gives(wanted)));
  }

  /** The encoder.json of an encoder in service; else as {@link #require}. */
  String manifestJson(String name) {
    return registry.require(name, encoder -> true).manifestJson();
  }

  @Override
  public void embedDocuments(EncoderHandle encoder, Object request, Iterator<DocumentText> texts) {
    encodeDocuments(encoder, request, Iterators.map(texts, DocumentFeed.Text::of));
  }

  /** Tokens and vectors of texts; else as {@link #embedDocuments}. */
  void encodeDocuments(EncoderHandle encoder, Object request, Iterator<DocumentFeed.Text> texts) {
    ((EncoderInService) encoder)
        .encodeDocuments(
            request, texts, rest -> schedule.tell(() -> encodeBySuccessor(encoder, request, rest)));
  }

  private void encodeBySuccessor(
      EncoderHandle retired, Object request, Iterator<DocumentFeed.Text> texts) {
    EncoderHandle successor;
    try {
      successor = registry.successor(retired);
    } catch (Exception e) {
      texts.forEachRemaining(text -> text.listener().onFailure(e));
      return;
    }
    encodeDocuments(successor, request, texts);
  }

  @Override
  public void embedQuery(
      EncoderHandle encoder,
      Content query,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<float[]> listener) {
    encodeQuery(
        encoder, (queries, one) -> queries.embed(query, timeout, task, one), preserved(listener));
  }

  /** A query's tokens and vector, past the vectors that are known; else as {@link #embedQuery}. */
  void encodeQuery(
      EncoderHandle encoder, Content query, ActionListener<EncodeAction.Encoded> listener) {
    encodeQuery(encoder, (queries, one) -> queries.encode(query, one), preserved(listener));
  }

  /** Encodes by an encoder, or, where it was replaced by its like meanwhile, by that one. */
  private <T> void encodeQuery(
      EncoderHandle encoder,
      BiConsumer<QueryEncoding, ActionListener<T>> how,
      ActionListener<T> listener) {
    how.accept(
        ((EncoderInService) encoder).queries(),
        listener.delegateResponse(
            (caller, failure) -> {
              if (failure instanceof EncodeException) { // it is retired
                ActionListener.run(
                    caller, one -> encodeQuery(registry.successor(encoder), how, one));
              } else {
                caller.onFailure(failure);
              }
            }));
  }

  @Override
  public void scorePairs(
      EncoderHandle encoder,
      PairsToScore pairs,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<PairScores> listener) {
    score(encoder, pairs, timeout, task, preserved(listener));
  }

  /** Scores by an encoder, or, where it was replaced by its like meanwhile, by that one. */
  private void score(
      EncoderHandle encoder,
      PairsToScore pairs,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<PairScores> listener) {
    ((EncoderInService) encoder)
        .pairs()
        .score(
            pairs,
            timeout,
            task,
            listener.delegateResponse(
                (caller, failure) -> {
                  if (failure instanceof EncodeException) { // it is retired
                    ActionListener.run(
                        caller,
                        one -> score(registry.successor(encoder), pairs, timeout, task, one));
                  } else {
                    caller.onFailure(failure);
                  }
                }));
  }

  @Override
  public int mostReranked() {
    return settings.rerankMaxWindow();
  }

  // identity and headers are the caller's again when its listener is called
  <T> ActionListener<T> preserved(ActionListener<T> listener) {
    return ContextPreservingActionListener.wrapPreservingContext(
        listener, threadPool.getThreadContext());
  }

  /** What a mapping that names an encoder of this node must agree with. */
  public List<EncoderFacts> facts() {
    return status().stream().map(EncoderStatus::facts).toList();
  }

  /** What there is, as {@code GET /_densehook} shows it. */
  List<EncoderStatus> status() {
    return registry.status();
  }
}
