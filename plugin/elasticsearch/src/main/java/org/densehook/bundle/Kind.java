package org.densehook.bundle;

import com.google.gson.JsonElement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The kinds of encoders, by the name that encoder.json gives them. A kind is its constant here, the
 * {@link Part} it states, and what its graph gives, an {@code Output} in {@code encode}.
 */
public enum Kind {
  /** One vector for a text. */
  DENSE("dense", Dense.KEYS, Dense::read, Dense.GOLDEN_KEY, Dense::golden),

  /** A score for a pair of a query and a text. */
  CROSS("cross", Cross.KEYS, Cross::read, Cross.GOLDEN_KEY, Cross::golden),

  /** Weights of a few tokens of the vocabulary. */
  SPARSE("sparse", Sparse.KEYS, Sparse::read, Sparse.GOLDEN_KEY, Sparse::golden),

  /** One vector for each token of a text. */
  MULTI("multi", Multi.KEYS, Multi::read, Multi.GOLDEN_KEY, Multi::golden),

  /** One vector for a text or an image. */
  IMAGE_TEXT("image-text", ImageText.KEYS, ImageText::read, Dense.GOLDEN_KEY, Dense::golden),

  /** One vector for a list of numbers. */
  NUMBERS("numbers", Numbers.KEYS, Numbers::read, Dense.GOLDEN_KEY, Dense::golden);

  /** Reads what a kind states. */
  @FunctionalInterface
  private interface Reader {
    Part read(Stated stated) throws BundleException;
  }

  /** Reads a golden text's output. */
  @FunctionalInterface
  private interface GoldenReader {
    float[] read(Part part, Stated golden) throws BundleException;
  }

  private final String name;
  private final Set<String> keys;
  private final Reader reader;
  private final String goldenKey;
  private final GoldenReader goldenReader;

  Kind(String name, Set<String> keys, Reader reader, String goldenKey, GoldenReader goldenReader) {
    this.name = name;
    this.keys = keys;
    this.reader = reader;
    this.goldenKey = goldenKey;
    this.goldenReader = goldenReader;
  }

  /**
   * The kind that encoder.json says.
   *
   * @throws BundleException when it says none, or one that is not known
   */
  static Kind of(JsonElement content) throws BundleException {
    Set<String> any = content.isJsonObject() ? content.getAsJsonObject().keySet() : Set.of();
    String stated = new Stated(content, "encoder.json", Set.of("kind"), any).text("kind");
    List<String> known = new ArrayList<>();
    for (Kind kind : values()) {
      if (kind.name.equals(stated)) {
        return kind;
      }
      known.add(kind.name);
    }
    throw new BundleException(
        "encoder.json: kind is "
            + Stated.shown(content.getAsJsonObject().get("kind"))
            + "; this plugin knows "
            + String.join(", ", known)
            + "; export the bundle again or update the plugin");
  }

  /** Whether for a text it gives what another does. */
  public boolean gives(Kind other) {
    return this == other || (this == IMAGE_TEXT || this == NUMBERS) && other == DENSE;
  }

  /** Whether it reads a query and a text together, and gives nothing of a text by itself. */
  public boolean isOfPairs() {
    return this == CROSS;
  }

  /** The graph's input that has what is read: the tokens of a text, or numbers. */
  String read() {
    return this == NUMBERS ? Numbers.INPUT : "input_ids";
  }

  /** Whether an encoder of this kind reads tokens, of texts or numbers, for what is of a kind. */
  public boolean readsTokensFor(Kind given) {
    return this != IMAGE_TEXT || given == this; // whose heads are of images
  }

  /** Whether those are of texts. */
  public boolean readsTextsFor(Kind given) {
    return this != NUMBERS && readsTokensFor(given);
  }

  /** Whether it reads images for it. */
  public boolean readsImagesFor(Kind given) {
    return this == IMAGE_TEXT;
  }

  /** Its keys of encoder.json, beside those that all kinds have. */
  Set<String> keys() {
    return keys;
  }

  Part read(Stated stated) throws BundleException {
    return reader.read(stated);
  }

  /** The kinds that a graph of this one may have heads of, beside its own output. */
  private Set<Kind> heads() {
    return switch (this) {
      case DENSE -> Set.of(SPARSE, MULTI);
      case IMAGE_TEXT -> Set.of(MULTI);
      default -> Set.of();
    };
  }

  /**
   * The kind of a head of a graph of this kind.
   *
   * @throws BundleException for a name of none
   */
  Kind head(String stated) throws BundleException {
    for (Kind head : heads()) {
      if (head.name.equals(stated)) {
        return head;
      }
    }
    throw new BundleException(
        "encoder.json: also names ["
            + stated
            + "]; beside kind ["
            + name
            + "] there can be "
            + new TreeSet<>(heads())
            + "; export the bundle again or update the plugin");
  }

  /** The key of an output in golden.json. */
  String goldenKey() {
    return goldenKey;
  }

  float[] golden(Part part, Stated golden) throws BundleException {
    return goldenReader.read(part, golden);
  }

  @Override
  public String toString() {
    return name;
  }
}
