package org.densehook.bundle;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * encoder.json, format version 1.
 *
 * <p>A text becomes {@code prompts[role] + text}, its token ids are cut to {@code maxTokens}
 * (special tokens included), right-padded with {@code padId} and fed as int64 [batch, tokens] to
 * {@code inputs}; {@code output} is float32 [batch, dims]. A graph without {@code attention_mask}
 * among its inputs knows no padding: a batch is of texts of one length.
 *
 * @param variant what was made of the plain export; empty for the plain export itself
 * @param normalise whether its vectors have length 1
 * @param batchDependent whether a vector depends on the texts that it is encoded together with
 * @param files SHA-256 in hex of each file of the bundle, by name
 * @param fingerprint {@code sha256:} and hex, over all that can change a vector
 */
public record Manifest(
    String name,
    String precision,
    String variant,
    boolean batchDependent,
    int dims,
    String similarity,
    boolean normalise,
    int maxTokens,
    int padId,
    Map<Role, String> prompts,
    String joiner,
    List<String> inputs,
    String output,
    Map<String, String> files,
    String fingerprint) {

  private static final int FORMAT = 1;

  /** The lowest cosine to the golden PyTorch vectors that each precision may show. */
  private static final Map<String, Double> PRECISION_BOUNDS =
      Map.of("fp32", 0.99999, "fp16", 0.9999, "int8", 0.95, "int4", 0.85);

  private static final Map<String, Set<String>> KNOWN =
      Map.of(
          "kind", Set.of("dense"),
          "pooling", Set.of("mean", "cls", "last"),
          "similarity", Set.of("cosine", "dot_product", "max_inner_product"),
          "precision", PRECISION_BOUNDS.keySet());

  private static final Set<String> KEYS =
      Set.of(
          "format",
          "name",
          "kind",
          "precision",
          "dims",
          "similarity",
          "pooling",
          "normalise",
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
  private static final Set<String> OPTIONAL_KEYS = Set.of("variant", "batch_dependent");

  // These files decide what comes out of the encoder; the others only prove it.
  private static final Set<String> VECTOR_FILES =
      Set.of("model.onnx", "model.onnx_data", "tokenizer.json");

  /** The lowest cosine to the golden PyTorch vectors that this bundle may show. */
  public double precisionBound() {
    return PRECISION_BOUNDS.get(precision);
  }

  /** Whether texts of several lengths may run together: the graph tells padding from text. */
  public boolean knowsPadding() {
    return inputs.contains("attention_mask");
  }

  /** The document text of several fields: the non-empty ones, joined. */
  public String join(List<String> fields) {
    return String.join(joiner, fields.stream().filter(part -> !part.isEmpty()).toList());
  }

  /**
   * Parses encoder.json.
   *
   * @throws BundleException when it is no manifest of format 1, a value is out of its range, or the
   *     fingerprint written down is not the one its content has
   */
  public static Manifest parse(String json) throws BundleException {
    JsonObject content = object(json);
    if (!content.has("format") || !content.get("format").equals(new JsonPrimitive(FORMAT))) {
      throw new BundleException(
          "encoder.json has format "
              + content.get("format")
              + ", this plugin reads "
              + FORMAT
              + "; export the bundle again or update the plugin");
    }
    try {
      checkKeys(content);
      Manifest manifest = read(content);
      String own = fingerprintOf(content);
      if (!own.equals(manifest.fingerprint)) {
        throw new BundleException(
            "encoder.json was changed after the export: its fingerprint is "
                + manifest.fingerprint
                + ", its content gives "
                + own
                + "; export the bundle again");
      }
      return manifest;
    } catch (IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
      throw new BundleException(
          "encoder.json is not a manifest of format " + FORMAT + ": " + e.getMessage());
    }
  }

  private static JsonObject object(String json) throws BundleException {
    try {
      return JsonParser.parseString(json).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw new BundleException(
          "encoder.json is not JSON: " + e.getMessage() + "; export the bundle again");
    }
  }

  private static void checkKeys(JsonObject content) throws BundleException {
    Set<String> missing = new TreeSet<>(KEYS);
    missing.removeAll(content.keySet());
    Set<String> unknown = new TreeSet<>(content.keySet());
    unknown.removeAll(KEYS);
    unknown.removeAll(OPTIONAL_KEYS);
    if (!missing.isEmpty() || !unknown.isEmpty()) {
      throw new BundleException(
          "encoder.json is not a manifest of format "
              + FORMAT
              + ": missing "
              + missing
              + ", unknown "
              + unknown
              + "; export the bundle again or update the plugin");
    }
    for (Map.Entry<String, Set<String>> known : KNOWN.entrySet()) {
      String value = content.get(known.getKey()).getAsString();
      if (!known.getValue().contains(value)) {
        throw new BundleException(
            "encoder.json: "
                + known.getKey()
                + " is ["
                + value
                + "]; known: "
                + new TreeSet<>(known.getValue()));
      }
    }
  }

  private static Manifest read(JsonObject content) throws BundleException {
    Map<Role, String> prompts = new EnumMap<>(Role.class);
    JsonObject stated = content.getAsJsonObject("prompts");
    for (Role role : Role.values()) {
      if (!stated.has(role.toString())) {
        throw new BundleException("encoder.json: prompts has none for [" + role + "]");
      }
      prompts.put(role, stated.get(role.toString()).getAsString());
    }
    Map<String, String> files = new LinkedHashMap<>();
    content.getAsJsonObject("files").asMap().forEach((k, v) -> files.put(k, v.getAsString()));
    return new Manifest(
        content.get("name").getAsString(),
        content.get("precision").getAsString(),
        content.has("variant") ? content.get("variant").getAsString() : "",
        content.has("batch_dependent") && flag(content, "batch_dependent"),
        positive(content, "dims"),
        content.get("similarity").getAsString(),
        flag(content, "normalise"),
        positive(content, "max_tokens"),
        content.get("pad_id").getAsInt(),
        prompts,
        content.get("joiner").getAsString(),
        content.getAsJsonArray("inputs").asList().stream().map(JsonElement::getAsString).toList(),
        content.get("output").getAsString(),
        files,
        content.get("fingerprint").getAsString());
  }

  private static boolean flag(JsonObject content, String key) throws BundleException {
    JsonElement stated = content.get(key);
    if (!(stated instanceof JsonPrimitive primitive && primitive.isBoolean())) {
      throw new BundleException(
          "encoder.json: " + key + " is " + stated + "; it must be true or false");
    }
    return stated.getAsBoolean();
  }

  private static int positive(JsonObject content, String key) throws BundleException {
    int value = content.get(key).getAsInt();
    if (value < 1) {
      throw new BundleException(
          "encoder.json: " + key + " is " + value + "; it must be a positive number");
    }
    return value;
  }

  /** SHA-256 of the canonical JSON of all that can change a vector. */
  private static String fingerprintOf(JsonObject content) throws BundleException {
    JsonObject deciding = content.deepCopy();
    for (String key : List.of("format", "name", "variant", "source", "fingerprint")) {
      deciding.remove(key);
    }
    if (!content.has("batch_dependent") || !flag(content, "batch_dependent")) {
      deciding.remove("batch_dependent"); // false says no more than its absence
    }
    deciding.getAsJsonObject("files").keySet().retainAll(VECTOR_FILES);
    byte[] canonical = CanonicalJson.of(deciding).getBytes(StandardCharsets.US_ASCII);
    return "sha256:" + Sha256.hex(canonical);
  }
}
