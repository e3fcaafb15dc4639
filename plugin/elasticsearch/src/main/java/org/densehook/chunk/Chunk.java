package org.densehook.chunk;

/**
 * A part of a text, by code points.
 *
 * @param start of its first one
 * @param end behind its last one
 * @param content what the encoder is given: the part without the spaces at its ends, behind what is
 *     put before each chunk
 * @param name that of the section, or the number of the item, that it is of; null where it has none
 */
public record Chunk(int start, int end, String content, Object name) {}
