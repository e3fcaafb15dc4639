import java.util.Arrays;
import java.util.Random;
import org.densehook.multivector.MaxSim;
import org.densehook.multivector.Precision;
import org.densehook.multivector.TokenVectors;

/** Prints, for each precision, the median and the least milliseconds in which so many documents are scored. */
public final class Latency {

  private static final int ROUNDS = 200;
  private static final int WARM = 200;

  public static void main(String[] args) {
    int documents = Integer.parseInt(args[0]);
    int tokens = Integer.parseInt(args[1]);
    int dims = Integer.parseInt(args[2]);
    int queryTokens = Integer.parseInt(args[3]);
    Random random = new Random(1);
    float[] query = vectors(random, queryTokens, dims);
    for (Precision precision : Precision.values()) {
      byte[][] stored = new byte[documents][];
      for (int i = 0; i < documents; i++) {
        stored[i] = TokenVectors.pack(vectors(random, tokens, dims), dims, precision);
      }
      double[] took = new double[ROUNDS];
      float sum = 0;
      for (int round = -WARM; round < ROUNDS; round++) {
        long started = System.nanoTime();
        MaxSim scoring = new MaxSim(query, dims);
        for (byte[] each : stored) {
          sum += scoring.score(each, 0, each.length);
        }
        if (round >= 0) {
          took[round] = (System.nanoTime() - started) / 1e6;
        }
      }
      Arrays.sort(took);
      System.out.println(precision + " " + took[ROUNDS / 2] + " " + took[0] + " " + sum);
    }
  }

  private static float[] vectors(Random random, int tokens, int dims) {
    float[] vectors = new float[tokens * dims];
    for (int token = 0; token < tokens; token++) {
      double length = 0;
      for (int dim = 0; dim < dims; dim++) {
        double number = random.nextGaussian();
        vectors[token * dims + dim] = (float) number;
        length += number * number;
      }
      for (int dim = 0; dim < dims; dim++) {
        vectors[token * dims + dim] /= (float) Math.sqrt(length);
      }
    }
    return vectors;
  }
}
