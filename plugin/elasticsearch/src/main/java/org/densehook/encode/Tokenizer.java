package org.densehook.encode;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;
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
    return tokenize(text, List.of());
  }

  /**
   * The same with its parts.
   *
   * @param spans the first code point of each part that has a vector, and the one behind its last.
   *     A token is of the part that has its last character; a part without tokens has all of them
   */
  Tokens tokenize(String text, List<int[]> spans) throws EncodeException {
    return encoded(
        text,
        true,
        encoding -> {
          long[] ids = LIBRARY.getTokenIds(encoding);
          List<int[]> parts = spans.isEmpty() ? List.of() : parts(encoding, spans);
          return new Tokens(ids, lost(encoding), parts);
        });
  }

  /** How many tokens it gives, however many are read, but for a special one at its end. */
  int leading(String text) throws EncodeException {
    return encoded(
        text,
        true,
        encoding -> {
          long[] special = LIBRARY.getSpecialTokenMask(encoding);
          boolean closed = special.length > 0 && special[special.length - 1] != 0;
          return special.length + lost(encoding) - (closed ? 1 : 0);
        });
  }

  /** The same without special tokens, as a query or a text stands in a pair. */
  Tokens tokenizePart(String text) throws EncodeException {
    return encoded(
        text, false, encoding -> new Tokens(LIBRARY.getTokenIds(encoding), lost(encoding)));
  }

  /** Makes something of an encoding, which is gone afterwards. */
  private <T> T encoded(String text, boolean special, LongFunction<T> made) throws EncodeException {
    use.readLock().lock();
    try {
      if (closed) {
        throw EncodeException.retired();
      }
      long encoding = LIBRARY.encode(handle, wellFormed(text), special);
      try {
        return made.apply(encoding);
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

  private static List<int[]> parts(long encoding, List<int[]> spans) {
    CharSpan[] places = LIBRARY.getTokenCharSpans(encoding); // null for a special token
    List<int[]> parts = new ArrayList<>(spans.size());
    for (int[] span : spans) {
      int first = -1;
      int last = -1;
      for (int at = 0; at < places.length; at++) {
        int place = places[at] == null ? -1 : places[at].getEnd() - 1;
        if (span[0] <= place && place < span[1]) {
          first = first < 0 ? at : first;
          last = at;
        }
      }
      parts.add(first < 0 ? new int[] {0, places.length} : new int[] {first, last + 1});
    }
    return parts;
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
