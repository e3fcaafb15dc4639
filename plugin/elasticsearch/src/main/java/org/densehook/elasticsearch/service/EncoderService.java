package org.densehook.elasticsearch.service;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Role;
import org.densehook.elasticsearch.compat.Actions;
import org.densehook.encode.EncodeException;
import org.densehook.encode.EncoderRuntime;
import org.densehook.encode.EncoderRuntime.LaneName;
import org.densehook.encode.NativeLibraries;
import org.densehook.encode.SelfTest;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.component.AbstractLifecycleComponent;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.node.Node;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.threadpool.ThreadPool;

/** Finds bundles in config/densehook, puts those that prove themselves into service. */
public final class EncoderService extends AbstractLifecycleComponent implements NodeEncoders {

  private static final Logger logger = LogManager.getLogger(EncoderService.class);

  private final String node;
  private final Path folder;
  private final Path natives;
  private final EncoderSettings settings;
  private final ThreadPool threadPool;
  private final Executor generic;
  private final Map<String, Slot> slots = new ConcurrentSkipListMap<>();
  private final Object loading = new Object();
  private boolean nativesLoaded;
  private volatile boolean closed; // set with slots locked, so that nothing is put in afterwards

  /**
   * What is known of a folder below config/densehook.
   *
   * @param manifest content of the encoder.json that was tried last; tells whether it is another
   * @param reason why that one was refused, or null
   * @param encoder what is in service, or null; the older one when a newer was refused
   */
  private record Slot(boolean tried, String manifest, String reason, LoadedEncoder encoder) {

    static final Slot NEW = new Slot(false, null, null, null);

    EncoderStatus.State state() {
      if (encoder != null) {
        return EncoderStatus.State.READY;
      }
      return tried ? EncoderStatus.State.FAILED : EncoderStatus.State.LOADING;
    }

    /** Whether a manifest is the encoder's own; after a refusal it is only that of the refused. */
    boolean isInService(String manifest) {
      return encoder != null && reason == null && manifest.equals(this.manifest);
    }
  }

  /**
   * Nothing is loaded before {@link #start}.
   *
   * @param folder where bundles lie, one folder each
   * @param natives where the native libraries lie
   */
  public EncoderService(
      Path folder,
      Path natives,
      Settings settings,
      ClusterSettings clusterSettings,
      ThreadPool threadPool) {
    this.node = Node.NODE_NAME_SETTING.get(settings);
    this.folder = folder;
    this.natives = natives;
    this.settings = new EncoderSettings(settings, clusterSettings);
    this.threadPool = threadPool;
    this.generic = threadPool.generic();
  }

  /** The actions that look after encoders. */
  public static void registerActions(Actions actions) {
    actions.add(TransportEncodersAction.Get.TYPE, TransportEncodersAction.Get.class);
    actions.add(TransportEncodersAction.Reload.TYPE, TransportEncodersAction.Reload.class);
    actions.add(EncodeAction.TYPE, EncodeAction.Transport.class);
  }

  @Override
  protected void doStart() {
    reload(ActionListener.noop());
  }

  @Override
  protected void doStop() {
    synchronized (slots) {
      closed = true;
      slots.values().stream().filter(slot -> slot.encoder != null).forEach(s -> s.encoder.retire());
      slots.clear();
    }
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
            logger.error("the encoders in [{}] cannot be loaded", folder, e);
            failure = e instanceof Exception exception ? exception : new RuntimeException(e);
          }
          Exception seen = failure;
          generic.execute(
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
    List<Path> bundles = bundleFolders();
    List<String> names = bundles.stream().map(path -> path.getFileName().toString()).toList();
    for (String gone : slots.keySet()) {
      if (!names.contains(gone)) {
        remove(gone);
      }
    }
    List<Thread> loaders = new ArrayList<>();
    for (Path bundle : bundles) {
      String name = bundle.getFileName().toString();
      if (!slots.containsKey(name) && !put(name, Slot.NEW)) {
        break;
      }
      loaders.add(start("densehook[load][" + name + "]", () -> load(bundle)));
    }
    for (Thread loader : loaders) {
      loader.join();
    }
  }

  private List<Path> bundleFolders() throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry) && !entry.getFileName().toString().startsWith(".")) {
          found.add(entry);
        }
      }
    } catch (NoSuchFileException e) {
      logger.info("no encoders: there is no folder [{}]", folder);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  /** Puts a slot in, or gives false when the service was stopped meanwhile. */
  private boolean put(String name, Slot slot) {
    synchronized (slots) {
      if (closed) {
        return false;
      }
      slots.put(name, slot);
      return true;
    }
  }

  /** Loads a bundle unless it is the one in service; never throws. */
  private void load(Path path) {
    String name = path.getFileName().toString();
    Slot before = slots.getOrDefault(name, Slot.NEW);
    String manifest = null;
    try {
      manifest = readManifest(path);
      if (before.isInService(manifest)) {
        return;
      }
      LoadedEncoder loaded = open(path, name);
      if (!put(name, new Slot(true, manifest, null, loaded))) {
        loaded.retire();
        return;
      }
      logger.info("encoder [{}] is in service, {}", name, loaded.fingerprint());
      if (before.encoder != null) {
        before.encoder.retire();
      }
    } catch (Throwable e) { // a native library may throw an Error, which would end a node
      String reason = reason(e);
      put(name, new Slot(true, manifest, reason, before.encoder));
      logger.error("encoder [{}] in [{}] is refused: {}", name, path, reason);
      logger.debug("where the refusal of [" + name + "] came from", e);
    }
  }

  private static String reason(Throwable failure) {
    if (failure instanceof AccessDeniedException denied) {
      return denied.getFile() + " may not be read by the user Elasticsearch runs as; let it";
    }
    return failure instanceof BundleException ? failure.getMessage() : failure.toString();
  }

  private static String readManifest(Path path) throws BundleException, IOException {
    try {
      return Files.readString(path.resolve(Bundle.MANIFEST));
    } catch (NoSuchFileException e) {
      throw new BundleException("it has no " + Bundle.MANIFEST + "; copy the bundle again");
    }
  }

  private LoadedEncoder open(Path path, String name) throws BundleException, IOException {
    Bundle bundle = Bundle.read(path);
    if (!bundle.manifest().name().equals(name)) {
      throw new BundleException(
          "its folder is ["
              + name
              + "], its manifest says ["
              + bundle.manifest().name()
              + "]; give the folder that name");
    }
    loadNatives();
    EncoderRuntime encoder =
        new EncoderRuntime(bundle, settings.ingestThreads(), settings.queryThreads());
    try {
      SelfTest.run(encoder, bundle);
    } catch (Throwable e) {
      encoder.close();
      throw e;
    }
    return new LoadedEncoder(encoder, settings, threadPool);
  }

  private synchronized void loadNatives() {
    if (!nativesLoaded) {
      NativeLibraries.load(natives);
      nativesLoaded = true;
    }
  }

  private void remove(String name) {
    Slot slot = slots.remove(name);
    if (slot != null && slot.encoder != null) {
      slot.encoder.retire();
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
    return requireLoaded(name);
  }

  LoadedEncoder requireLoaded(String name) {
    Map<String, Slot> now = new TreeMap<>(slots);
    if (name == null) {
      return requireLoaded(theOnly(now));
    }
    Slot slot = now.get(name);
    if (slot == null && closed) {
      throw refused(RestStatus.SERVICE_UNAVAILABLE, "node [" + node + "] is stopping");
    }
    if (slot == null) {
      throw refused(
          RestStatus.BAD_REQUEST,
          "encoder ["
              + name
              + "] is not on node ["
              + node
              + "]"
              + there(now)
              + "; put its bundle into config/densehook/"
              + name
              + " and POST /_densehook/encoders/_reload");
    }
    if (slot.encoder == null && !slot.tried) {
      // 429, not 503: it is the one status that clients of bulks send single documents again for
      throw new EsRejectedExecutionException(
          "encoder ["
              + name
              + "] is still loading on node ["
              + node
              + "]; try again in a few seconds");
    }
    if (slot.encoder == null) {
      throw refused(
          RestStatus.SERVICE_UNAVAILABLE,
          "encoder [" + name + "] was refused by node [" + node + "]: " + slot.reason);
    }
    return slot.encoder;
  }

  /**
   * The encoder a request means that names none; those that were refused are not in the way, and
   * those that are still loading not in that of one that is ready.
   */
  private String theOnly(Map<String, Slot> slots) {
    List<String> usable = names(slots, EncoderStatus.State.READY);
    if (usable.isEmpty()) {
      usable = names(slots, EncoderStatus.State.LOADING);
    }
    if (usable.size() == 1) {
      return usable.get(0);
    }
    if (usable.isEmpty() && slots.size() == 1) {
      return slots.keySet().iterator().next(); // and be told why it was refused
    }
    throw refused(
        RestStatus.BAD_REQUEST,
        "node ["
            + node
            + "] has "
            + (usable.isEmpty()
                ? "no encoder in service; put a bundle into config/densehook/NAME and POST"
                    + " /_densehook/encoders/_reload, or see GET /_densehook"
                : "several encoders, " + usable + "; name one as [encoder]"));
  }

  private static List<String> names(Map<String, Slot> slots, EncoderStatus.State state) {
    return slots.keySet().stream().filter(name -> slots.get(name).state() == state).toList();
  }

  private static String there(Map<String, Slot> slots) {
    return slots.isEmpty() ? "" : ", which has " + slots.keySet();
  }

  private static ElasticsearchStatusException refused(RestStatus status, String message) {
    return new ElasticsearchStatusException(message, status);
  }

  @Override
  public void embedDocument(EncoderHandle encoder, String text, ActionListener<float[]> listener) {
    embed(encoder, (serving, one) -> serving.embedDocument(text, one), preserved(listener));
  }

  @Override
  public void embedDocuments(EncoderHandle encoder, Iterator<DocumentText> texts) {
    new DocumentPump(
            EncoderPools.withoutContext(threadPool, EncoderPools.READ),
            threadPool,
            texts,
            (text, listener) ->
                embed(encoder, (serving, one) -> serving.embedDocument(text, one), listener))
        .start();
  }

  @Override
  public void embedQuery(
      EncoderHandle encoder,
      String text,
      TimeValue timeout,
      CancellableTask task,
      ActionListener<float[]> listener) {
    embed(
        encoder,
        (serving, one) -> serving.embedQuery(text, timeout, task, one),
        preserved(listener));
  }

  /** A text's tokens and vector; else as {@link #embedDocument}. */
  void encode(
      EncoderHandle encoder,
      String text,
      Role role,
      ActionListener<EncodeAction.Encoded> listener) {
    embed(encoder, (serving, one) -> serving.encode(text, role, one), preserved(listener));
  }

  /** Embeds by an encoder, or, where it was replaced by its like meanwhile, by that one. */
  private <T> void embed(
      EncoderHandle encoder,
      BiConsumer<LoadedEncoder, ActionListener<T>> how,
      ActionListener<T> listener) {
    how.accept(
        (LoadedEncoder) encoder,
        listener.delegateResponse(
            (caller, failure) -> {
              if (failure instanceof EncodeException) { // it is retired
                ActionListener.run(caller, one -> embed(successor(encoder), how, one));
              } else {
                caller.onFailure(failure);
              }
            }));
  }

  /**
   * The encoder that took the place of one.
   *
   * @throws EsRejectedExecutionException when its vectors are others: what the caller has found out
   *     about the encoder no longer holds, and a client that sends the document again starts anew
   */
  private LoadedEncoder successor(EncoderHandle retired) {
    LoadedEncoder now = requireLoaded(retired.name());
    if (now == retired || !now.fingerprint().equals(retired.fingerprint())) {
      throw new EsRejectedExecutionException(
          "encoder ["
              + retired.name()
              + "] was taken out of service on node ["
              + node
              + "]; try again");
    }
    return now;
  }

  // identity and headers are the caller's again when its listener is called
  private <T> ActionListener<T> preserved(ActionListener<T> listener) {
    return ContextPreservingActionListener.wrapPreservingContext(
        listener, threadPool.getThreadContext());
  }

  /** What a mapping that names an encoder of this node must agree with. */
  public List<EncoderFacts> facts() {
    return status().stream().map(EncoderStatus::facts).toList();
  }

  /** What there is, as {@code GET /_densehook} shows it. */
  List<EncoderStatus> status() {
    List<EncoderStatus> statuses = new ArrayList<>();
    slots.forEach(
        (name, slot) ->
            statuses.add(new EncoderStatus(name, slot.state(), slot.reason, loaded(slot.encoder))));
    return statuses;
  }

  private static EncoderStatus.Loaded loaded(LoadedEncoder encoder) {
    if (encoder == null) {
      return null;
    }
    return new EncoderStatus.Loaded(
        encoder.fingerprint(),
        encoder.manifest().precision(),
        encoder.manifest().variant(),
        encoder.manifest().batchDependent(),
        encoder.dims(),
        encoder.manifest().normalise(),
        encoder.manifest().maxTokens(),
        encoder.modelBytes(),
        encoder.onnxruntime(),
        encoder.laneStatus(LaneName.INGEST),
        encoder.laneStatus(LaneName.QUERY));
  }
}
