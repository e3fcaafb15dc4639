package org.densehook.chunk;

import java.util.List;

/**
 * A text that was cut.
 *
 * @param chunks in its order
 * @param isShort whether it has more of them, which were left out
 */
public record Cut(List<Chunk> chunks, boolean isShort) {}
