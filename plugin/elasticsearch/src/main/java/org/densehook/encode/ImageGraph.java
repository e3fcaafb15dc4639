package org.densehook.encode;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.densehook.bundle.BundleException;
import org.densehook.bundle.ImageText;
import org.densehook.image.ImageException;
import org.densehook.image.ImageFile;
import org.densehook.image.Pixels;

/** The graph of images on the CPU: it takes one at a time, of any size. */
final class ImageGraph implements AutoCloseable {

  private static final int CHANNELS = 3;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final int dims;

  ImageGraph(Path model, int dims, int threads) throws BundleException {
    session = Graph.open(environment, model, threads);
    this.dims = dims;
  }

  /**
   * The vector of an image.
   *
   * @return float32 [dims]
   * @throws EncodeException when it cannot be decoded, or not be run
   */
  float[] run(ImageFile file) throws EncodeException {
    try {
      Pixels pixels = Pixels.of(file);
      long[] shape = {pixels.height(), pixels.width(), CHANNELS};
      try (OnnxTensor input =
              OnnxTensor.createTensor(environment, pixels.values(), shape, OnnxJavaType.UINT8);
          OrtSession.Result result =
              session.run(Map.of(ImageText.INPUT, input), Set.of(ImageText.OUTPUT))) {
        return row(((OnnxTensor) result.get(0)).getFloatBuffer());
      }
    } catch (ImageException e) {
      throw new EncodeException(EncodeException.Kind.TEXT, e.getMessage(), e);
    } catch (OrtException e) {
      throw new EncodeException(
          EncodeException.Kind.RUN, "the encoder cannot run it: " + e.getMessage(), e);
    }
  }

  private float[] row(FloatBuffer given) throws EncodeException {
    if (given.remaining() != dims) {
      throw new EncodeException(
          EncodeException.Kind.RUN,
          "the graph gave " + given.remaining() + " numbers for an image");
    }
    float[] row = new float[dims];
    given.get(row);
    return row;
  }

  @Override
  public void close() {
    Graph.close(session);
  }
}
