package org.densehook.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An encoder's folder, with every file as its manifest says.
 *
 * @param queries the tower that queries have of their own; null where they have none
 */
public record Bundle(Path folder, Manifest manifest, Bundle queries) {

  private static final String QUERIES = "queries";

  public static final String MANIFEST = "encoder.json";

  static final String IMAGE_MODEL = "image.onnx";

  private static final String GOLDEN_IMAGES = "images.json";

  private static final String IDS = "ids";

  private static final String TOKENIZER = "tokenizer.json";

  private static final List<String> NEEDED = List.of("model.onnx", "golden.json");

  private static final List<String> NEEDED_FOR_IMAGES = List.of(IMAGE_MODEL, GOLDEN_IMAGES);

  /** The graph. */
  public Path model() {
    return folder.resolve("model.onnx");
  }

  /** The graph of images, where the encoder reads them. */
  public Path imageModel() {
    return folder.resolve(IMAGE_MODEL);
  }

  /** The size of the graphs' files: its own and, where there is one, that of its weights. */
  public long modelBytes() throws IOException {
    long size = 0;
    for (String name : manifest.files().keySet()) {
      if (name.startsWith("model.onnx") || name.startsWith(IMAGE_MODEL)) {
        size += Files.size(folder.resolve(name));
      }
    }
    return size;
  }

  /** Hugging Face's tokenizer. */
  public Path tokenizer() {
    return folder.resolve(TOKENIZER);
  }

  /**
   * The tokens of the tokenizer.
   *
   * @throws BundleException when it has none that can be read
   */
  public Vocabulary vocabulary() throws BundleException, IOException {
    return Vocabulary.read(tokenizer());
  }

  /** The weights of a query's tokens, where there are such. */
  public Path idf() {
    return folder.resolve(Sparse.IDF);
  }

  /**
   * Reads a folder and compares each file with its sum.
   *
   * @throws BundleException for a missing or changed file, or a manifest that is none
   * @throws IOException when the disk cannot be read
   */
  public static Bundle read(Path folder) throws BundleException, IOException {
    Manifest manifest;
    try {
      manifest = Manifest.parse(text(folder, MANIFEST));
    } catch (NoSuchFileException e) {
      throw new BundleException("it has no " + MANIFEST + "; export the bundle again");
    }
    List<String> all = new ArrayList<>(NEEDED);
    if (!(manifest.part() instanceof Numbers)) {
      all.add(TOKENIZER);
    }
    if (manifest.part() instanceof ImageText) {
      all.addAll(NEEDED_FOR_IMAGES);
    }
    for (String needed : all) {
      if (!manifest.files().containsKey(needed)) {
        throw new BundleException(
            "encoder.json has no sum of " + needed + "; export the bundle again");
      }
    }
    for (Map.Entry<String, String> file : manifest.files().entrySet()) {
      check(folder, file.getKey(), file.getValue());
    }
    return new Bundle(
        folder, manifest, manifest.queries().isEmpty() ? null : queries(folder, manifest));
  }

  private static Bundle queries(Path folder, Manifest manifest)
      throws BundleException, IOException {
    Bundle tower = read(folder.resolve(QUERIES));
    Manifest own = tower.manifest;
    if (!own.fingerprint().equals(manifest.queries())) {
      throw new BundleException(
          QUERIES
              + " is "
              + own.fingerprint()
              + ", encoder.json says "
              + manifest.queries()
              + "; copy the bundle again, or pair the two anew");
    }
    boolean readsOthers =
        manifest.part() instanceof Numbers numbers
            && !(own.part() instanceof Numbers same && same.channels() == numbers.channels());
    if (readsOthers
        || !manifest.kind().gives(own.kind())
        || own.part().dims() != manifest.part().dims()
        || !own.also().isEmpty()
        || !manifest.also().isEmpty()
        || tower.queries != null) {
      throw new BundleException(
          QUERIES + " is no tower for queries of [" + manifest.name() + "]; pair the two anew");
    }
    return tower;
  }

  private static void check(Path folder, String name, String stated)
      throws BundleException, IOException {
    String own;
    try {
      own = Sha256.hex(folder.resolve(name));
    } catch (NoSuchFileException e) {
      throw new BundleException(name + " is missing; copy or export the bundle again");
    }
    if (!own.equals(stated)) {
      throw new BundleException(
          name
              + " was changed or is damaged: its SHA-256 is "
              + own
              + ", encoder.json says "
              + stated
              + "; copy or export the bundle again");
    }
  }

  /**
   * The texts of the self-test, with what the encoder's own kind gives for them.
   *
   * @throws BundleException when golden.json is not what an export writes
   */
  public List<GoldenText> golden() throws BundleException, IOException {
    return golden(manifest.kind());
  }

  /** The same with what it gives of one of its kinds. */
  public List<GoldenText> golden(Kind kind) throws BundleException, IOException {
    List<GoldenText> golden = new ArrayList<>();
    Vocabulary vocabulary = manifest.ofKind(kind).part().isOfTokens() ? vocabulary() : null;
    for (JsonElement element : rows("golden.json", "texts")) {
      golden.add(goldenText(kind, element, "golden.json: text " + golden.size(), vocabulary));
    }
    return golden;
  }

  /**
   * The images of the self-test, with what it gives for them of one of its kinds of images.
   *
   * @throws BundleException when images.json is not what an export writes
   */
  public List<GoldenImage> goldenImages(Kind kind) throws BundleException, IOException {
    List<GoldenImage> golden = new ArrayList<>();
    Set<String> needed = new HashSet<>(Set.of("image"));
    manifest.kindsOfImages().forEach(each -> needed.add(each.goldenKey()));
    Part part = manifest.ofKind(kind).part();
    for (JsonElement element : rows(GOLDEN_IMAGES, "images")) {
      String where = GOLDEN_IMAGES + ": image " + golden.size();
      Stated stated = new Stated(element, where, needed, Set.of());
      golden.add(new GoldenImage(stated.text("image"), kind.golden(part, stated)));
    }
    return golden;
  }

  private JsonArray rows(String file, String what) throws BundleException, IOException {
    JsonElement stated = Stated.parse(text(folder, file), file);
    if (!stated.isJsonArray() || stated.getAsJsonArray().isEmpty()) {
      throw new BundleException(file + " has no " + what + "; export the bundle again");
    }
    return stated.getAsJsonArray();
  }

  private GoldenText goldenText(Kind kind, JsonElement element, String where, Vocabulary vocabulary)
      throws BundleException {
    boolean ofNumbers = manifest.part() instanceof Numbers;
    Set<String> needed = new HashSet<>(Set.of("role", "text", ofNumbers ? Numbers.INPUT : IDS));
    manifest.kindsOfTokens().forEach(each -> needed.add(each.goldenKey()));
    Stated stated = new Stated(element, where, needed, Set.of("query"));
    Part part = manifest.ofKind(kind).part();
    Role role = Role.of(stated.oneOf("role", Set.of("query", "document")));
    List<Long> ids = ofNumbers ? stated.bits(Numbers.INPUT) : stated.tokenIds(IDS);
    if (ids.isEmpty()) {
      throw new BundleException(where + " has 0 token ids; it must have some");
    }
    float[] output = kind.golden(part, stated);
    if (vocabulary != null) {
      output = vocabulary.row(part.goldenTokens(stated), output, where);
    }
    String query = stated.has("query") ? stated.text("query") : null;
    return new GoldenText(role, stated.text("text"), ids, output, query);
  }

  private static String text(Path folder, String name) throws BundleException, IOException {
    try {
      return Files.readString(folder.resolve(name));
    } catch (CharacterCodingException e) {
      throw new BundleException(name + " is not UTF-8; copy or export the bundle again");
    }
  }
}
