package org.densehook.bundle;

import java.util.List;

/** What encoders of one kind state beside what all do. */
public sealed interface Part permits Dense, Cross, Sparse, Multi, ImageText, Numbers {

  /** Length of its vectors; 0 where the kind has none. */
  default int dims() {
    return 0;
  }

  /** Whether its outputs are of tokens. */
  default boolean isOfTokens() {
    return false;
  }

  /**
   * The tokens that a golden text's output has numbers of, in their order; none where it is of no
   * tokens.
   */
  default List<String> goldenTokens(Stated golden) throws BundleException {
    return List.of();
  }

  /** Whether queries and documents are read as the tokenizer gives them, up to so many tokens. */
  default boolean readsPlainly(int maxTokens) {
    return true;
  }

  /** Whether its vectors have length 1. */
  default boolean normalises() {
    return false;
  }
}
