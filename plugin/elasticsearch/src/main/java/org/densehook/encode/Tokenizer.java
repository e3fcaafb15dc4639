package org.densehook.encode;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.densehook.bundle.BundleException;

/** A bundle's tokenizer with the bundle's truncation; may be used by many threads at a time. */
final class Tokenizer implements AutoCloseable {

  private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;
  // DJL spells it so; any other spelling makes the library panic, which ends the process
  private static final String LONGEST_FIRST = "LONGEST_FIRST";
  private static final int NO_STRIDE = 0;

  // the native tokenizer must not be freed while a thread is in it
  private final ReadWriteLock use = new ReentrantReadWriteLock();
  private final long handle;
  private boolean closed;

  Tokenizer(Path file, int maxTokens) throws BundleException, IOException {
    String json = Files.readString(file);
    try {
      handle = LIBRARY.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new BundleException(file.getFileName() + " is not a tokenizer: " + e.getMessage());
    }
    LIBRARY.disablePadding(handle);
    LIBRARY.setTruncation(handle, maxTokens, LONGEST_FIRST, NO_STRIDE);
  }

  /** Tokenises a text; a lone surrogate, which no UTF-8 can hold, is read as U+FFFD. */
  Tokens tokenize(String text) throws EncodeException {
    use.readLock().lock();
    try {
      if (closed) {
        throw EncodeException.retired();
      }
      long encoding = LIBRARY.encode(handle, wellFormed(text), true);
      try {
        return new Tokens(LIBRARY.getTokenIds(encoding), lost(encoding));
      } finally {
        LIBRARY.deleteEncoding(encoding);
      }
    } catch (RuntimeException e) {
      throw new EncodeException(
          EncodeException.Kind.TEXT, "the text cannot be tokenised: " + e.getMessage(), e);
    } finally {
      use.readLock().unlock();
    }
  }

  private static int lost(long encoding) {
    if (LIBRARY.getOverflowCount(encoding) == 0) {
      return 0;
    }
    int lost = 0;
    for (long part : LIBRARY.getOverflowing(encoding)) {
      // each overflowing part carries special tokens of its own, which no text lost
      for (long special : LIBRARY.getSpecialTokenMask(part)) {
        lost += special == 0 ? 1 : 0;
      }
      LIBRARY.deleteEncoding(part);
    }
    return lost;
  }

  private static String wellFormed(String text) {
    StringBuilder repaired = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        repaired = repaired == null ? new StringBuilder(text) : repaired;
        repaired.setCharAt(i, '\uFFFD');
      }
    }
    return repaired == null ? text : repaired.toString();
  }

  @Override
  public void close() {
    use.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        LIBRARY.deleteTokenizer(handle);
      }
    } finally {
      use.writeLock().unlock();
    }
  }
}
