package org.densehook.encode;

import java.io.IOException;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.Blank;
import org.densehook.bundle.Bundle;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.Cross;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.ImageText;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Numbers;
import org.densehook.bundle.Pairing;
import org.densehook.bundle.Role;
import org.densehook.bundle.Sparse;
import org.densehook.bundle.Vocabulary;
import org.densehook.image.ImageException;
import org.densehook.image.ImageFile;
import org.densehook.image.ImageLimits;

/** A bundle at work: its tokenizer and its graph, which documents and queries share. */
public final class EncoderRuntime implements AutoCloseable {

  private final Manifest manifest;
  private final long modelBytes;
  private final Output output;
  private final Map<Role, Tokenizer> tokenizers;
  private final Graph graph;
  private final Vocabulary vocabulary;
  private final QueryTable queryTable;
  private final EncoderRuntime queries;
  private final ImageGraph images;

  /**
   * Opens a bundle's files; {@link SelfTest} decides whether it may go into service.
   *
   * @param threads threads of one run
   */
  public EncoderRuntime(Bundle bundle, int threads) throws BundleException, IOException {
    manifest = bundle.manifest();
    modelBytes = bundle.modelBytes();
    boolean isOfTokens =
        manifest.heads().values().stream().anyMatch(head -> head.part().isOfTokens());
    vocabulary = isOfTokens ? bundle.vocabulary() : null;
    queryTable =
        manifest.part() instanceof Sparse sparse && sparse.weighsQueries()
            ? QueryTable.read(bundle.idf(), vocabulary, sparse.maxTerms())
            : null;
    output = Output.BY_KIND.get(manifest.kind());
    tokenizers = tokenizers(bundle);
    try {
      graph = new Graph(bundle.model(), manifest, threads);
    } catch (BundleException | RuntimeException e) {
      closeTokenizers();
      throw e;
    }
    ImageGraph opened = null;
    try {
      opened =
          manifest.part() instanceof ImageText
              ? new ImageGraph(bundle.imageModel(), manifest, threads)
              : null;
      queries = bundle.queries() == null ? null : new EncoderRuntime(bundle.queries(), threads);
    } catch (BundleException | IOException | RuntimeException e) {
      closeTokenizers();
      graph.close();
      if (opened != null) {
        opened.close();
      }
      throw e;
    }
    images = opened;
  }

  /** The encoder of texts in a role: this one, unless queries have one of their own. */
  public EncoderRuntime tower(Role role) {
    return queries != null && role == Role.QUERY ? queries : this;
  }

  /** One for each length at which texts are cut; none where no texts are read. */
  private Map<Role, Tokenizer> tokenizers(Bundle bundle) throws BundleException, IOException {
    if (manifest.part() instanceof Numbers) {
      return Map.of();
    }
    Map<Integer, Tokenizer> byLimit = new HashMap<>();
    Map<Role, Tokenizer> byRole = new EnumMap<>(Role.class);
    for (Role role : Role.values()) {
      int limit = output.mostTokens(role, manifest);
      Tokenizer known = byLimit.get(limit);
      byRole.put(role, known == null ? new Tokenizer(bundle.tokenizer(), limit) : known);
      byLimit.put(limit, byRole.get(role));
    }
    return byRole;
  }

  private void closeTokenizers() {
    Set.copyOf(tokenizers.values()).forEach(Tokenizer::close);
  }

  public Manifest manifest() {
    return manifest;
  }

  /**
   * What it gave of one kind for a text.
   *
   * @param given what was wanted of the text; none for the encoder's own kind
   * @param row of all of these, as {@link #run} gives it
   */
  public float[] row(Kind kind, Set<Kind> given, float[] row) {
    return given.isEmpty() || !givesSeveral() ? row : Joined.row(kind, given, row, manifest);
  }

  /**
   * The same tokens, or image, of which some kinds are wanted, where it gives several.
   *
   * @throws EncodeException for a kind that it gives for images alone, or for texts
   */
  public Tokens giving(Set<Kind> kinds, Tokens tokens) throws EncodeException {
    boolean isText = tokens.image() == null;
    for (Kind kind : kinds) {
      Kind own = manifest.kind();
      if (!(isText ? own.readsTokensFor(kind) : own.readsImagesFor(kind))) {
        throw new EncodeException(
            EncodeException.Kind.TEXT,
            "it gives what is of kind ["
                + kind
                + "] for "
                + (isText ? "images alone, not for texts" : "texts alone, not for images"));
      }
    }
    return givesSeveral() ? tokens.giving(kinds) : tokens;
  }

  private boolean givesSeveral() {
    return manifest.heads().size() > 1;
  }

  /** The size of the models' files; their content is in memory once. */
  public long modelBytes() {
    return modelBytes + (queries == null ? 0 : queries.modelBytes());
  }

  /** The version of the ONNX Runtime that runs it, as 1.32.0. */
  public String onnxruntime() {
    return graph.onnxruntime();
  }

  /** The share of a run that may be padding: none where the graph does not know padding. */
  public double maxPadding() {
    return manifest.knowsPadding() ? Packing.MAX_PADDING : 0;
  }

  /** What the model reads for a text: prompt, special tokens and truncation included. */
  public Tokens tokenize(String text, Role role) throws EncodeException {
    Tokens tokens = tokenize(text, promptOf(role), List.of());
    return role == Role.QUERY ? tokens.ofQuery() : tokens;
  }

  /**
   * The same for a query, behind the instruction that it brings.
   *
   * @throws EncodeException also for an instruction that the encoder does not take
   */
  public Tokens tokenize(Content.Text query) throws EncodeException {
    return query.instruction() == null
        ? tokenize(query.given(), Role.QUERY)
        : tokenize(query.given(), instructed(query.instruction()), List.of()).ofQuery();
  }

  private Prompt instructed(String instruction) throws EncodeException {
    if (manifest.instruction().isEmpty()) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "it takes no [instruction] with a query, since its recipe states none; leave it out");
    }
    if (Blank.is(instruction)) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "[instruction] is blank; leave it out for the encoder's own prompt");
    }
    String prompt = manifest.instruction().replace(Manifest.INSTRUCTION, instruction);
    int tokens = tokenizers.get(Role.QUERY).leading(prompt);
    int most = manifest.maxTokens() / 2;
    if (tokens > most) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "[instruction] makes a prompt of "
              + tokens
              + " tokens, and may make one of at most "
              + most
              + ", half of what the encoder reads; shorten it");
    }
    return new Prompt(prompt, manifest.unpooled().isEmpty() ? 0 : tokens, Role.QUERY);
  }

  /**
   * The same for a document, with its parts.
   *
   * @param stated its own prompt; null for that of documents
   * @param spans the first code point of each part that has a vector, and the one behind its last
   */
  public Tokens tokenizeDocument(String text, String stated, List<int[]> spans)
      throws EncodeException {
    return tokenize(text, documentPrompt(stated), spans);
  }

  private Tokens tokenize(String text, Prompt prompt, List<int[]> spans) throws EncodeException {
    if (manifest.part() instanceof Cross) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "it scores pairs of a query and a text, and gives no vector of a text; name it in a"
              + " retriever [rerank]");
    }
    requireTexts();
    int before = prompt.text().codePointCount(0, prompt.text().length());
    List<int[]> shifted =
        spans.stream().map(span -> new int[] {span[0] + before, span[1] + before}).toList();
    Tokens tokens =
        output.read(
            tokenizers.get(prompt.role()).tokenize(prompt.text() + text, shifted),
            prompt.role(),
            manifest);
    if (tokens.length() == 0) {
      throw new EncodeException(
          EncodeException.Kind.TEXT, "the text [" + shown(text) + "] gives no token");
    }
    return tokens.withoutFirst(prompt.unpooled());
  }

  /**
   * An image, to be decoded when it is run.
   *
   * @throws EncodeException when it is none, is too large, or this encoder reads no images
   */
  public Tokens readImage(String given, ImageLimits limits) throws EncodeException {
    if (!(manifest.part() instanceof ImageText both)) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "it is of kind ["
              + manifest.kind()
              + "] and reads no images; one of kind [image-text] does");
    }
    try {
      return Tokens.ofImage(ImageFile.of(given, limits), both.imageTokens());
    } catch (ImageException e) {
      throw new EncodeException(EncodeException.Kind.TEXT, e.getMessage(), e);
    }
  }

  private void requireTexts() throws EncodeException {
    if (manifest.part() instanceof Numbers) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "it is of kind ["
              + manifest.kind()
              + "] and reads no texts; give it [numbers], a list of them");
    }
  }

  /**
   * A list of numbers, by its text.
   *
   * @throws EncodeException when this encoder reads no numbers, or none of such channels or length
   */
  public Tokens readNumbers(String given) throws EncodeException {
    if (!(manifest.part() instanceof Numbers part)) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "it is of kind ["
              + manifest.kind()
              + "] and reads no numbers; one of kind [numbers] does");
    }
    NumberList list;
    try {
      list = NumberList.of(given);
    } catch (IllegalArgumentException e) {
      throw new EncodeException(EncodeException.Kind.TEXT, e.getMessage(), e);
    }
    int most = manifest.maxTokens();
    float[] values = list.values();
    String objection = null;
    if (list.channels() != part.channels()) {
      objection =
          "it reads lists of " + part.channels() + " channels, and this has " + list.channels();
    } else if (part.fixedLength() && values.length != most) {
      objection =
          "it reads lists of "
              + most / part.channels()
              + " steps alone, and this has "
              + values.length / part.channels();
    }
    if (objection != null) {
      throw new EncodeException(EncodeException.Kind.TEXT, objection);
    }
    long[] bits = new long[Math.min(most, values.length)];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Integer.toUnsignedLong(Float.floatToRawIntBits(values[i]));
    }
    return new Tokens(bits, values.length - bits.length);
  }

  /** What the model reads for a golden text, by itself or in a pair. */
  Tokens tokenize(GoldenText golden) throws EncodeException {
    if (manifest.part() instanceof Numbers) {
      return readNumbers(golden.text());
    }
    return golden.query() == null
        ? tokenize(golden.text(), golden.role())
        : paired(queryOfPair(golden.query()), textOfPair(golden.text())); // which may have no token
  }

  /** The tokens of a pair's query, to be put together with texts by {@link #pair}. */
  public Tokens queryOfPair(String query) throws EncodeException {
    return tokenizers
        .get(Role.QUERY)
        .tokenizePart(manifest.prompts().get(Role.QUERY) + query + pairing().queryEnd());
  }

  /** The tokens of a pair's text; else as {@link #queryOfPair}. */
  public Tokens textOfPair(String text) throws EncodeException {
    return tokenizers.get(Role.DOCUMENT).tokenizePart(manifest.prompts().get(Role.DOCUMENT) + text);
  }

  /**
   * What the model reads for a query and a text.
   *
   * @throws EncodeException also where one of them has no token
   */
  public Tokens pair(Tokens query, Tokens text) throws EncodeException {
    Pairs.requireBoth(query, text);
    return paired(query, text);
  }

  private Tokens paired(Tokens query, Tokens text) throws EncodeException {
    return Pairs.paired(pairing(), manifest.maxTokens(), query, text);
  }

  /** How many tokens of a text it reads beside a query, however long the text is. */
  public int roomBeside(Tokens query) throws EncodeException {
    int most = manifest.maxTokens();
    return Pairs.kept(pairing(), most, query.length() + query.lost(), most).text();
  }

  private Pairing pairing() throws EncodeException {
    if (manifest.part() instanceof Cross cross) {
      return cross.pairing();
    }
    throw new EncodeException(
        EncodeException.Kind.TEXT,
        "it is of kind [" + manifest.kind() + "] and scores no pairs; one of kind [cross] does");
  }

  /** How many tokens it would read of a document, however many it can. */
  public int size(String text, String stated) throws EncodeException {
    requireTexts();
    Tokens tokens =
        output.read(
            tokenizers.get(Role.DOCUMENT).tokenize(documentPrompt(stated).text() + text),
            Role.DOCUMENT,
            manifest);
    return tokens.length() + tokens.lost();
  }

  private Prompt promptOf(Role role) {
    return new Prompt(
        manifest.prompts().get(role), manifest.unpooled().getOrDefault(role, 0), role);
  }

  private Prompt documentPrompt(String stated) throws EncodeException {
    if (stated == null) {
      return promptOf(Role.DOCUMENT);
    }
    for (Role role : Role.values()) {
      if (stated.equals(manifest.prompts().get(role))) {
        Prompt known = promptOf(role);
        return new Prompt(known.text(), known.unpooled(), Role.DOCUMENT);
      }
    }
    if (!manifest.unpooled().isEmpty()) {
      throw new EncodeException(
          EncodeException.Kind.TEXT,
          "the encoder pools no tokens of its prompts, and of ["
              + stated
              + "] it is not known which they are; state one of "
              + manifest.prompts().values());
    }
    return new Prompt(stated, 0, Role.DOCUMENT);
  }

  /**
   * The vectors of texts that run together; several runs may be in flight at a time.
   *
   * @return float32 [batch, dims]; of a text in parts, their vectors one behind the other, and of
   *     one of which several kinds are wanted what they give, as {@link #row} reads it
   */
  public float[][] run(List<Tokens> batch) throws EncodeException {
    List<Tokens> together = batch.stream().filter(this::isOfTheGraph).toList();
    if (together.size() == batch.size()) {
      return graph.run(batch);
    }
    Iterator<float[]> encoded =
        together.isEmpty() ? Collections.emptyIterator() : List.of(graph.run(together)).iterator();
    float[][] rows = new float[batch.size()][];
    for (int i = 0; i < rows.length; i++) {
      Tokens tokens = batch.get(i);
      rows[i] = isOfTheGraph(tokens) ? encoded.next() : byItself(tokens);
    }
    return rows;
  }

  /** The same of queries, whose texts may have a tower of their own. */
  public float[][] runQueries(List<Tokens> batch) throws EncodeException {
    if (queries == null || batch.stream().allMatch(tokens -> tokens.image() != null)) {
      return run(batch);
    }
    List<Tokens> texts = batch.stream().filter(tokens -> tokens.image() == null).toList();
    Iterator<float[]> encoded = List.of(queries.run(texts)).iterator();
    float[][] rows = new float[batch.size()][];
    for (int i = 0; i < rows.length; i++) {
      Tokens tokens = batch.get(i);
      rows[i] = tokens.image() == null ? encoded.next() : byItself(tokens);
    }
    return rows;
  }

  private boolean isOfTheGraph(Tokens tokens) {
    return tokens.image() == null && (queryTable == null || !tokens.isQuery());
  }

  private float[] byItself(Tokens tokens) throws EncodeException {
    return tokens.image() == null
        ? queryTable.row(tokens.ids())
        : images.run(tokens.image().file(), tokens.kinds());
  }

  /**
   * A row's weights by token, the largest first.
   *
   * @throws IllegalStateException where its outputs are of no tokens
   */
  public Map<String, Float> terms(float[] row) {
    if (vocabulary == null) {
      throw new IllegalStateException(
          "encoder [" + manifest.name() + "] gives no weights of tokens");
    }
    Map<String, Float> terms = new LinkedHashMap<>();
    for (int i = 0; i < row.length / 2 && row[row.length / 2 + i] > 0; i++) {
      terms.put(vocabulary.token((int) row[i]), row[row.length / 2 + i]);
    }
    return terms;
  }

  private static String shown(String text) {
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  /** Frees the native memory; no run may be in flight. */
  @Override
  public void close() {
    closeTokenizers();
    graph.close();
    if (images != null) {
      images.close();
    }
    if (queries != null) {
      queries.close();
    }
  }
}
