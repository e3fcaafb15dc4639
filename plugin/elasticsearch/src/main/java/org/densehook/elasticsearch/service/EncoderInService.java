package org.densehook.elasticsearch.service;

import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.densehook.bundle.Cross;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;
import org.densehook.chunk.Chunk;
import org.densehook.chunk.ChunkRule;
import org.densehook.chunk.Cut;
import org.densehook.chunk.Cutter;
import org.densehook.chunk.LongText;
import org.densehook.chunk.Window;
import org.densehook.encode.Content;
import org.densehook.encode.EncodeException;
import org.densehook.encode.EncoderRuntime;
import org.densehook.encode.Fatal;
import org.densehook.encode.Lane;
import org.densehook.encode.Tokens;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.threadpool.ThreadPool;

/** An encoder that proved itself: its runtime, and its places in the node's schedule. */
final class EncoderInService implements EncoderHandle {

  private final EncoderRuntime runtime;
  private final EncoderSettings settings;
  private final NodeSchedule schedule;
  private final Lane documentLane;
  private final Lane queryLane;
  private final Lane pairLane;
  private final QueryEncoding queries;
  private final PairScoring pairs;

  EncoderInService(
      EncoderRuntime runtime,
      EncoderSettings settings,
      NodeSchedule schedule,
      ThreadPool threadPool) {
    this.runtime = runtime;
    this.settings = settings;
    this.schedule = schedule;
    documentLane =
        new Lane(
            schedule.documents(),
            runtime::run,
            runtime.maxPadding(),
            settings::ingest,
            schedule.intake()::wake);
    EncoderRuntime ofQueries = runtime.tower(Role.QUERY);
    queryLane =
        new Lane(
            schedule.queries(),
            runtime::runQueries,
            ofQueries.maxPadding(),
            settings::query,
            () -> {});
    pairLane =
        new Lane(schedule.pairs(), runtime::run, runtime.maxPadding(), settings::rerank, () -> {});
    pairs = new PairScoring(this, runtime, pairLane, settings, threadPool);
    queries = new QueryEncoding(this, queryLane, settings, threadPool, schedule.completions());
  }

  @Override
  public String name() {
    return manifest().name();
  }

  @Override
  public String fingerprint() {
    return manifest().space();
  }

  @Override
  public String identity() {
    return manifest().fingerprint();
  }

  @Override
  public Kind kind() {
    return manifest().kind();
  }

  @Override
  public Set<Kind> kinds() {
    return manifest().heads().keySet();
  }

  @Override
  public Set<Kind> kinds(Content content) {
    return content instanceof Content.Image
        ? manifest().kindsOfImages()
        : manifest().kindsOfTokens();
  }

  @Override
  public float[] row(Kind kind, Set<Kind> given, float[] row) {
    return runtime.row(kind, given, row);
  }

  @Override
  public int dims() {
    return dims(kind());
  }

  @Override
  public int dims(Kind kind) {
    return manifest().ofKind(kind).part().dims();
  }

  @Override
  public Map<String, Float> terms(float[] row) {
    return runtime.terms(row);
  }

  @Override
  public String join(List<String> inputs) {
    return manifest().join(inputs);
  }

  @Override
  public String joiner() {
    return manifest().joiner();
  }

  @Override
  public Cut cut(LongText text, String prompt, ChunkRule rule) throws Exception {
    try {
      ChunkRule own = rule.within(manifest().maxTokens());
      Cut cut = Cutter.cut(text, own, texts -> sizes(texts, prompt));
      if (cut.isShort()) {
        documentLane.stats().shortened();
      }
      return cut;
    } catch (EncodeException e) {
      throw told(e);
    }
  }

  private int[] sizes(List<String> texts, String prompt) throws EncodeException {
    int[] sizes = new int[texts.size()];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = runtime.size(texts.get(i), prompt);
    }
    return sizes;
  }

  /** Its encoder.json. */
  String manifestJson() {
    return manifest().json();
  }

  private Manifest manifest() {
    return runtime.manifest();
  }

  /** What searches ask of it. */
  QueryEncoding queries() {
    return queries;
  }

  /** What searches have it score. */
  PairScoring pairs() {
    return pairs;
  }

  /**
   * Encodes texts as there is room; listeners are called without a thread context.
   *
   * @param request what they came in with
   * @param elsewhere gets the texts it does not take, when it goes out of service
   */
  void encodeDocuments(
      Object request,
      Iterator<DocumentFeed.Text> texts,
      Consumer<Iterator<DocumentFeed.Text>> elsewhere) {
    schedule.intake().add(documentLane, new DocumentFeed(this, request, texts, elsewhere));
  }

  @Override
  public List<Window> windows(String text, String prompt, List<Chunk> chunks) throws Exception {
    if (!manifest().knowsSpans()) {
      throw new IllegalArgumentException(
          "encoder ["
              + name()
              + "] gives no vectors of parts of a text, which chunks by late are; write"
              + " late_chunking = true into its recipe, and export it again");
    }
    try {
      return Window.of(text, chunks, manifest().maxTokens(), texts -> sizes(texts, prompt));
    } catch (EncodeException e) {
      throw told(e);
    }
  }

  /** As a client is told that a text cannot be cut. */
  private Exception told(EncodeException e) {
    return e.kind() == EncodeException.Kind.RETIRED
        ? new EsRejectedExecutionException(
            "encoder [" + name() + "] was taken out of service; try again")
        : asStatus(e);
  }

  /** What the model reads of a query, of which all that it gives is wanted: one run serves all. */
  Tokens read(Content query) throws EncodeException {
    if (query instanceof Content.Text text) {
      requireLength(text.given());
      if (text.instruction() != null) {
        requireLength(text.instruction());
      }
      EncoderRuntime tower = runtime.tower(Role.QUERY);
      return tower.giving(kinds(query), tower.tokenize(text));
    }
    if (query instanceof Content.Numbers) {
      return runtime.tower(Role.QUERY).readNumbers(query.given());
    }
    return runtime.giving(kinds(query), runtime.readImage(query.given(), settings.imageLimits()));
  }

  /** What it reads of a document; else as {@link DocumentText}. */
  Tokens read(Content document, String prompt, List<int[]> spans, Set<Kind> kinds)
      throws EncodeException {
    if (document instanceof Content.Numbers) {
      return runtime.readNumbers(document.given());
    }
    if (document instanceof Content.Image) {
      return runtime.giving(kinds, runtime.readImage(document.given(), settings.imageLimits()));
    }
    requireLength(document.given());
    return runtime.giving(kinds, runtime.tokenizeDocument(document.given(), prompt, spans));
  }

  Tokens queryOfPair(String query) throws EncodeException {
    requireLength(query);
    return runtime.queryOfPair(query);
  }

  Tokens textOfPair(String text) throws EncodeException {
    requireLength(text);
    return runtime.textOfPair(text);
  }

  void requireLength(String text) throws EncodeException {
    if (text.length() > settings.textMaxLength()) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "the text has "
              + text.length()
              + " characters, more than ["
              + EncoderSettings.TEXT_MAX_LENGTH.getKey()
              + "] of "
              + settings.textMaxLength()
              + "; cut it into passages");
    }
  }

  /** Counts a document of which no tokens can be made, and has its owner told. */
  void unreadable(Runnable tell) {
    documentLane.stats().failed(1);
    schedule.tell(tell);
  }

  /**
   * A failure as clients are told it; that this encoder is retired stays an EncodeException, for
   * {@link EncoderService} to see.
   */
  Exception asStatus(EncodeException failure) {
    return switch (failure.kind()) {
      case TEXT -> status(RestStatus.BAD_REQUEST, failure);
      case RUN -> status(RestStatus.INTERNAL_SERVER_ERROR, failure);
      case RETIRED -> failure;
    };
  }

  private ElasticsearchStatusException status(RestStatus status, EncodeException failure) {
    return new ElasticsearchStatusException(
        "encoder [{}]: {}", status, failure, name(), failure.getMessage());
  }

  /** Ends the node, as Elasticsearch does, when the heap is exhausted; else does nothing. */
  static void dieOfExhaustedHeap(Throwable failure) {
    if (Fatal.is(failure)) {
      ExceptionsHelper.maybeDieOnAnotherThread(failure);
    }
  }

  EncoderStatus.Loaded status() {
    return new EncoderStatus.Loaded(
        identity(),
        manifest().precision(),
        manifest().variant(),
        manifest().batchDependent(),
        dims(),
        manifest().part().normalises(),
        manifest().maxTokens(),
        runtime.modelBytes(),
        runtime.onnxruntime(),
        EncoderStatus.Lane.of(
            documentLane.stats().snapshot(), documentLane.waitingTokens(), 0, 0, 0),
        queries.status(),
        kind(),
        manifest().proof(),
        manifest().part() instanceof Cross ? pairs.status() : null,
        identity().equals(fingerprint()) ? null : fingerprint(),
        alsoDims());
  }

  private Map<Kind, Integer> alsoDims() {
    Map<Kind, Integer> dims = new EnumMap<>(Kind.class);
    manifest().also().forEach((kind, head) -> dims.put(kind, head.part().dims()));
    return dims;
  }

  /** Takes nothing new, finishes what waits, then frees the native memory. */
  void retire() {
    AtomicInteger open = new AtomicInteger(3);
    Runnable oneClosed =
        () -> {
          if (open.decrementAndGet() == 0) {
            runtime.close();
          }
        };
    documentLane.close(oneClosed);
    queryLane.close(oneClosed);
    pairLane.close(oneClosed);
  }
}
