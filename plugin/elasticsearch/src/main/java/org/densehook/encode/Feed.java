package org.densehook.encode;

/** Texts that are read one after the other, as there is room for them. */
public interface Feed {

  /**
   * Reads and tokenises the next text; called by one thread at a time.
   *
   * @return null when there is none left
   * @throws EncodeException when the encoder is out of service
   */
  Job next() throws EncodeException;

  /** Whose texts they are: feeds of one group take one turn among those of others. */
  Object group();

  /**
   * The encoder went out of service: the texts not taken are to go elsewhere. Called at most once,
   * and then nothing else.
   *
   * @param lastTaken whether the last job that {@link #next} gave was taken
   */
  void retired(boolean lastTaken);
}
