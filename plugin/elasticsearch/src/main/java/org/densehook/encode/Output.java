package org.densehook.encode;

import java.nio.FloatBuffer;
import java.util.Map;
import org.densehook.bundle.GoldenText;
import org.densehook.bundle.Kind;
import org.densehook.bundle.Manifest;
import org.densehook.bundle.Role;

/** What the graph of a kind gives: a row for each text. */
interface Output {

  /** That of each kind. */
  Map<Kind, Output> BY_KIND =
      Map.of(
          Kind.DENSE, new DenseOutput(),
          Kind.CROSS, new CrossOutput(),
          Kind.SPARSE, new SparseOutput(),
          Kind.MULTI, new MultiOutput(),
          Kind.IMAGE_TEXT, new DenseOutput(),
          Kind.NUMBERS, new DenseOutput());

  /**
   * The rows of a batch.
   *
   * @throws EncodeException when they are not what the manifest says
   */
  float[][] rows(FloatBuffer output, int texts, Manifest manifest) throws EncodeException;

  /** How many numbers a row has; 0 where rows of unlike texts have unlike many. */
  default int length(Manifest manifest) {
    return 0;
  }

  /** At how many tokens, special ones included, the tokenizer cuts a text of this role. */
  default int mostTokens(Role role, Manifest manifest) {
    return manifest.maxTokens();
  }

  /** What the graph reads of a text, made of what the tokenizer gave for it. */
  default Tokens read(Tokens tokens, Role role, Manifest manifest) {
    return tokens;
  }

  /** Why a row is not near enough to the golden one; null when it is. */
  String objection(float[] row, GoldenText golden, Manifest manifest);
}
