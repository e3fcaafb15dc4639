package org.densehook.bundle;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * encoder.json, format version 1.
 *
 * <p>A text becomes {@code prompts[role] + text}, its token ids are cut to {@code maxTokens}
 * (special tokens included), right-padded with {@code padId} and fed as int64 [batch, tokens] to
 * {@code inputs}; what {@code output} is, the kind says. A graph without {@code attention_mask}
 * among its inputs knows no padding: a batch is of texts of one length. Where the inputs have
 * {@code pooling_mask}, a vector is pooled of the tokens that are 1 there: not of the first {@code
 * unpooled[role]}, which are the prompt's, but always of the last.
 *
 * <p>Where {@code inputs} has {@code span_mask}, int64 [batch, spans, tokens], each span of a text
 * has a vector of the tokens that are 1 there, so that there is one dimension more; a text as a
 * whole is one.
 *
 * @param variant what was made of the plain export; empty for the plain export itself
 * @param proof what is known of a graph that others exported; empty where it was proven equal
 * @param unpooled empty where the vector is pooled of all tokens
 * @param instruction what goes before a query that brings an instruction, with {@link #INSTRUCTION}
 *     in its place; empty where queries bring none
 * @param part what its kind states beside what all do
 * @param batchDependent whether a vector depends on the texts that it is encoded together with
 * @param files SHA-256 in hex of each file of the bundle, by name
 * @param also the heads of other kinds, where one run gives several outputs for a text; all of them
 *     are of what is read for the encoder's own kind; those beside an encoder of images and texts
 *     are outputs of its graph of images
 * @param queries fingerprint of the bundle of queries, which have a tower of their own in the space
 *     of this one's vectors; empty where one encoder is for both
 * @param space the fingerprint without that tower, and without what queries alone have before them
 *     by {@code instruction}: what an index's vectors are of
 * @param fingerprint {@code sha256:} and hex, over all that can change a vector
 * @param json the text it was read from
 */
public record Manifest(
    String name,
    Kind kind,
    String precision,
    String variant,
    String proof,
    boolean batchDependent,
    Part part,
    int maxTokens,
    int padId,
    Map<Role, String> prompts,
    Map<Role, Integer> unpooled,
    String instruction,
    String joiner,
    List<String> inputs,
    String output,
    Map<Kind, Head> also,
    String queries,
    Map<String, String> files,
    String fingerprint,
    String space,
    String json) {

  /** Stands in {@code instruction} where a query's own goes. */
  public static final String INSTRUCTION = "{instruction}";

  private static final String FORMAT = "1";

  private static final Set<String> PRECISIONS = Set.of("fp32", "fp16", "int8", "int4");

  private static final Set<String> KEYS =
      Set.of(
          "format",
          "name",
          "kind",
          "precision",
          "max_tokens",
          "pad_id",
          "prompts",
          "joiner",
          "inputs",
          "output",
          "source",
          "files",
          "fingerprint");

  // written only when there is something to say
  private static final Set<String> OPTIONAL_KEYS =
      Set.of("variant", "proof", "batch_dependent", "unpooled", "instruction", "also", "queries");

  // what changes no document's vector
  private static final Set<String> OF_QUERIES = Set.of("queries", "instruction");

  private static final String POOLING_MASK = "pooling_mask";
  private static final String SPAN_MASK = "span_mask";

  private static final Set<String> SOURCE_KEYS =
      Set.of("repository", "location", "revision", "license");

  private static final Set<String> ROLES =
      Arrays.stream(Role.values()).map(Role::toString).collect(Collectors.toSet());

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  // These files decide what comes out of the encoder; the others only prove it.
  private static final Set<String> VECTOR_FILES =
      Set.of(
          "model.onnx",
          "model.onnx_data",
          Bundle.IMAGE_MODEL,
          Bundle.IMAGE_MODEL + "_data",
          "tokenizer.json",
          Sparse.IDF);

  /**
   * What it states as a dense encoder.
   *
   * @throws IllegalStateException for one of another kind
   */
  public Dense dense() {
    if (part instanceof Dense dense) {
      return dense;
    }
    if (part instanceof ImageText both) {
      return both.dense();
    }
    if (part instanceof Numbers numbers) {
      return numbers.dense();
    }
    throw new IllegalStateException("encoder [" + name + "] is of kind [" + kind + "]");
  }

  /** What it gives, by kind; several where one run gives several outputs. */
  public Map<Kind, Head> heads() {
    Map<Kind, Head> heads = new EnumMap<>(Kind.class);
    heads.put(kind, new Head(output, part));
    heads.putAll(also);
    return heads;
  }

  /** The kinds of what it gives for a text, or for numbers. */
  public Set<Kind> kindsOfTokens() {
    return kinds(kind::readsTokensFor);
  }

  /** The kinds of what it gives for an image; none where it reads none. */
  public Set<Kind> kindsOfImages() {
    return kinds(kind::readsImagesFor);
  }

  private Set<Kind> kinds(Predicate<Kind> which) {
    Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    heads().keySet().stream().filter(which).forEach(kinds::add);
    return kinds;
  }

  /** The same as that of an encoder of one of its kinds alone, with the same fingerprint. */
  public Manifest ofKind(Kind one) {
    return one == kind ? this : with(one, heads().get(one), space);
  }

  /** Whether texts of several lengths may run together: the graph tells padding from text. */
  public boolean knowsPadding() {
    return inputs.contains("attention_mask");
  }

  /** Whether parts of a text have vectors, in the light of the whole. */
  public boolean knowsSpans() {
    return inputs.contains(SPAN_MASK);
  }

  /** The document text of several fields: those that are not blank, joined. */
  public String join(List<String> fields) {
    return String.join(joiner, fields.stream().filter(part -> !Blank.is(part)).toList());
  }

  /**
   * Parses encoder.json.
   *
   * @throws BundleException when it is no manifest of format 1, a value is out of its range, or the
   *     fingerprint written down is not the one its content has
   */
  public static Manifest parse(String json) throws BundleException {
    JsonElement content = Stated.parse(json, "encoder.json");
    JsonElement format = content.isJsonObject() ? content.getAsJsonObject().get("format") : null;
    if (format == null || !format.toString().equals(FORMAT)) {
      throw new BundleException(
          "encoder.json has format "
              + (format == null ? null : Stated.shown(format))
              + ", this plugin reads "
              + FORMAT
              + "; export the bundle again or update the plugin");
    }
    Kind kind = Kind.of(content);
    Set<String> needed = new HashSet<>(KEYS);
    needed.addAll(kind.keys());
    Stated stated = new Stated(content, "encoder.json", needed, OPTIONAL_KEYS);
    JsonObject alone = content.getAsJsonObject().deepCopy();
    OF_QUERIES.forEach(alone::remove);
    Manifest manifest = read(stated, kind, json);
    manifest =
        manifest.with(
            kind,
            new Head(manifest.output, manifest.part),
            fingerprintOf(alone, manifest.batchDependent));
    String own = fingerprintOf(content.getAsJsonObject(), manifest.batchDependent);
    if (!own.equals(manifest.fingerprint)) {
      throw new BundleException(
          "encoder.json was changed after the export: its fingerprint is "
              + manifest.fingerprint
              + ", its content gives "
              + own
              + "; export the bundle again");
    }
    return manifest;
  }

  private Manifest with(Kind itsKind, Head head, String itsSpace) {
    return new Manifest(
        name,
        itsKind,
        precision,
        variant,
        proof,
        batchDependent,
        head.part(),
        maxTokens,
        padId,
        prompts,
        unpooled,
        instruction,
        joiner,
        inputs,
        head.output(),
        itsKind == kind ? also : Map.of(),
        queries,
        files,
        fingerprint,
        itsSpace,
        json);
  }

  private static Manifest read(Stated stated, Kind kind, String json) throws BundleException {
    Stated source = stated.table("source", SOURCE_KEYS);
    for (String key : SOURCE_KEYS) {
      source.text(key);
    }
    Map<Role, Integer> unpooled = unpooled(stated);
    List<String> inputs = inputs(stated, kind.read());
    boolean hasSpans = inputs.contains(SPAN_MASK);
    if (!hasSpans && unpooled.isEmpty() == inputs.contains(POOLING_MASK)) {
      throw new BundleException(
          "encoder.json: inputs is "
              + inputs
              + "; "
              + POOLING_MASK
              + " must be among them where unpooled is stated, and nowhere else");
    }
    return new Manifest(
        stated.name("name"),
        kind,
        stated.oneOf("precision", PRECISIONS),
        stated.has("variant") ? stated.text("variant") : "",
        stated.has("proof") ? stated.text("proof") : "",
        stated.has("batch_dependent") && stated.truth("batch_dependent"),
        kind.read(stated),
        stated.number("max_tokens", 1),
        stated.number("pad_id", 0),
        prompts(stated),
        unpooled,
        instruction(stated),
        stated.text("joiner"),
        inputs,
        stated.name("output"),
        heads(stated, kind),
        stated.has("queries") ? stated.text("queries") : "",
        sums(stated.table("files")),
        stated.text("fingerprint"),
        "",
        json);
  }

  private static Map<Kind, Head> heads(Stated stated, Kind own) throws BundleException {
    Map<Kind, Head> heads = new EnumMap<>(Kind.class);
    if (!stated.has("also")) {
      return heads;
    }
    for (String name : stated.table("also").keySet()) {
      Kind kind = own.head(name);
      Set<String> keys = new HashSet<>(kind.keys());
      keys.add("output");
      Stated head = stated.table("also", stated.table("also").keySet()).table(name, keys);
      Part part = kind.read(head);
      if (!part.readsPlainly(stated.number("max_tokens", 1))) {
        throw new BundleException(
            "encoder.json: also: ["
                + name
                + "] reads a text otherwise than kind ["
                + own
                + "] does, and one run gives both; export the bundle again");
      }
      heads.put(kind, new Head(head.name("output"), part));
    }
    return heads;
  }

  private static Map<Role, String> prompts(Stated stated) throws BundleException {
    Stated written = stated.table("prompts", ROLES);
    Map<Role, String> prompts = new EnumMap<>(Role.class);
    for (Role role : Role.values()) {
      prompts.put(role, written.text(role.toString()));
    }
    return prompts;
  }

  private static Map<Role, Integer> unpooled(Stated stated) throws BundleException {
    if (!stated.has("unpooled")) {
      return Map.of();
    }
    Stated written = stated.table("unpooled", ROLES);
    Map<Role, Integer> unpooled = new EnumMap<>(Role.class);
    for (Role role : Role.values()) {
      unpooled.put(role, written.number(role.toString(), 0));
    }
    return unpooled;
  }

  private static String instruction(Stated stated) throws BundleException {
    if (!stated.has("instruction")) {
      return "";
    }
    String template = stated.text("instruction");
    int at = template.indexOf(INSTRUCTION);
    if (at < 0 || at != template.lastIndexOf(INSTRUCTION)) {
      throw new BundleException(
          "encoder.json: instruction is "
              + Stated.shown(new JsonPrimitive(template))
              + "; it must have "
              + INSTRUCTION
              + " once");
    }
    return template;
  }

  private static List<String> inputs(Stated stated, String read) throws BundleException {
    List<String> inputs = stated.names("inputs");
    if (!inputs.contains(read) || Set.copyOf(inputs).size() != inputs.size()) {
      throw new BundleException(
          "encoder.json: inputs is " + inputs + "; it must have " + read + ", and none twice");
    }
    return inputs;
  }

  private static Map<String, String> sums(Map<String, JsonElement> files) throws BundleException {
    Map<String, String> sums = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> file : files.entrySet()) {
      String shown = Stated.shown(new JsonPrimitive(file.getKey()));
      if (!Stated.isName(file.getKey()) || file.getKey().equals(Bundle.MANIFEST)) {
        throw new BundleException(
            "encoder.json: files names " + shown + "; it must be " + Stated.NAME);
      }
      if (!(file.getValue() instanceof JsonPrimitive sum && sum.isString())
          || !SHA256.matcher(sum.getAsString()).matches()) {
        throw new BundleException(
            "encoder.json: files has "
                + Stated.shown(file.getValue())
                + " for "
                + shown
                + "; it must be a SHA-256 in hex");
      }
      sums.put(file.getKey(), sum.getAsString());
    }
    return sums;
  }

  /** SHA-256 of the canonical JSON of all that can change a vector. */
  private static String fingerprintOf(JsonObject content, boolean batchDependent) {
    JsonObject deciding = content.deepCopy();
    for (String key : List.of("format", "name", "variant", "proof", "source", "fingerprint")) {
      deciding.remove(key);
    }
    if (!batchDependent) {
      deciding.remove("batch_dependent"); // false says no more than its absence
    }
    deciding.getAsJsonObject("files").keySet().retainAll(VECTOR_FILES);
    byte[] canonical = CanonicalJson.of(deciding).getBytes(StandardCharsets.US_ASCII);
    return "sha256:" + Sha256.hex(canonical);
  }
}
