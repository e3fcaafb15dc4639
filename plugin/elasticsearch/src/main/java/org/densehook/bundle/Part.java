package org.densehook.bundle;

/** What encoders of one kind state beside what all do. */
public sealed interface Part permits Dense, Multi {

  /** Length of its vectors; 0 where the kind has none. */
  default int dims() {
    return 0;
  }

  /** Whether its vectors have length 1. */
  default boolean normalises() {
    return false;
  }
}
