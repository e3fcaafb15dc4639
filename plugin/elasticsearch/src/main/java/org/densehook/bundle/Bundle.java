package org.densehook.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An encoder's folder, with every file as its manifest says. */
public record Bundle(Path folder, Manifest manifest) {

  public static final String MANIFEST = "encoder.json";

  /** The graph. */
  public Path model() {
    return folder.resolve("model.onnx");
  }

  /** The size of the graph's files: its own and, where there is one, that of its weights. */
  public long modelBytes() throws IOException {
    long size = 0;
    for (String name : manifest.files().keySet()) {
      if (name.startsWith("model.onnx")) {
        size += Files.size(folder.resolve(name));
      }
    }
    return size;
  }

  /** Hugging Face's tokenizer. */
  public Path tokenizer() {
    return folder.resolve("tokenizer.json");
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
      manifest = Manifest.parse(Files.readString(folder.resolve(MANIFEST)));
    } catch (NoSuchFileException e) {
      throw new BundleException("it has no " + MANIFEST + "; export the bundle again");
    }
    for (String needed : List.of("model.onnx", "tokenizer.json", "golden.json")) {
      if (!manifest.files().containsKey(needed)) {
        throw new BundleException(
            "encoder.json has no sum of " + needed + "; export the bundle again");
      }
    }
    for (Map.Entry<String, String> file : manifest.files().entrySet()) {
      check(folder, file.getKey(), file.getValue());
    }
    return new Bundle(folder, manifest);
  }

  private static void check(Path folder, String name, String stated)
      throws BundleException, IOException {
    if (!Path.of(name).getFileName().toString().equals(name) || name.startsWith(".")) {
      throw new BundleException("encoder.json names [" + name + "], which is no file beside it");
    }
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

  /** The texts of the self-test. */
  public List<GoldenText> golden() throws BundleException, IOException {
    try {
      JsonArray stated =
          JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonArray();
      List<GoldenText> golden = new ArrayList<>();
      for (JsonElement element : stated) {
        golden.add(goldenText(element.getAsJsonObject()));
      }
      if (golden.isEmpty()) {
        throw new BundleException("golden.json has no texts; export the bundle again");
      }
      return golden;
    } catch (JsonParseException
        | IllegalStateException
        | IllegalArgumentException
        | NullPointerException e) {
      throw new BundleException("golden.json is not what an export writes: " + e.getMessage());
    }
  }

  private static GoldenText goldenText(JsonObject stated) {
    List<Long> ids =
        stated.getAsJsonArray("ids").asList().stream().map(JsonElement::getAsLong).toList();
    JsonArray numbers = stated.getAsJsonArray("vector");
    float[] vector = new float[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = numbers.get(i).getAsFloat();
    }
    return new GoldenText(
        Role.of(stated.get("role").getAsString()), stated.get("text").getAsString(), ids, vector);
  }
}
