package org.densehook.encode;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.ImageText;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.image.ImageException;
import org.densehook.image.ImageFile;
import org.densehook.image.Pixels;

/** The graph of images on the CPU: it takes one at a time, of any size. */
final class ImageGraph implements AutoCloseable {

  private static final int CHANNELS = 3;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Manifest manifest;

  ImageGraph(Path model, Manifest manifest, int threads) throws BundleException {
    session = Graph.open(environment, model, threads);
    this.manifest = manifest;
  }

  /**
   * What it gives for an image.
   *
   * @param wanted its kinds; none for the encoder's own
   * @return a row of all of these, as {@link Joined} puts them together
   * @throws EncodeException when it cannot be decoded, or not be run
   */
  float[] run(ImageFile file, Set<Kind> wanted) throws EncodeException {
    Map<Kind, String> outputs = new EnumMap<>(Kind.class);
    for (Kind kind : wanted.isEmpty() ? Set.of(manifest.kind()) : wanted) {
      outputs.put(
          kind, kind == manifest.kind() ? ImageText.OUTPUT : manifest.ofKind(kind).output());
    }
    try {
      Pixels pixels = Pixels.of(file);
      long[] shape = {pixels.height(), pixels.width(), CHANNELS};
      try (OnnxTensor input =
              OnnxTensor.createTensor(environment, pixels.values(), shape, OnnxJavaType.UINT8);
          OrtSession.Result result =
              session.run(Map.of(ImageText.INPUT, input), Set.copyOf(outputs.values()))) {
        Map<Kind, float[][]> rows = new EnumMap<>(Kind.class);
        for (Map.Entry<Kind, String> each : outputs.entrySet()) {
          OnnxTensor given = (OnnxTensor) result.get(each.getValue()).orElseThrow();
          Output reading = Output.BY_KIND.get(each.getKey());
          rows.put(
              each.getKey(),
              reading.rows(given.getFloatBuffer(), 1, manifest.ofKind(each.getKey())));
        }
        return Joined.of(outputs.keySet(), rows, 0);
      }
    } catch (ImageException e) {
      throw new EncodeException(EncodeException.Kind.TEXT, e.getMessage(), e);
    } catch (OrtException e) {
      throw new EncodeException(
          EncodeException.Kind.RUN, "the encoder cannot run it: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    Graph.close(session);
  }
}
