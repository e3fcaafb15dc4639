package org.densehook.chunk;

/**
 * A part of a text, by code points.
 *
 * @param start of its first one
 * @param end behind its last one
 * @param text what the encoder is given: the part without the spaces at its ends
 */
public record Chunk(int start, int end, String text) {}
