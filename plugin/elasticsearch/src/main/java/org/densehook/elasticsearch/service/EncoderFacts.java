package org.densehook.elasticsearch.service;

import org.densehook.bundle.Kind;

/**
 * What is known of an encoder of a node, for a mapping that names it.
 *
 * @param loading whether the node is still looking at its bundle
 * @param fingerprint null unless it is in service; then the rest says nothing
 * @param kind what it gives for a text
 * @param dims length of its vectors; 0 where its kind has none
 * @param normalised whether its vectors have length 1
 */
public record EncoderFacts(
    String name, boolean loading, String fingerprint, Kind kind, int dims, boolean normalised) {}
