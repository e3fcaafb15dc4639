package org.densehook.elasticsearch.service;

/**
 * What is known of an encoder of a node, for a mapping that names it.
 *
 * @param loading whether the node is still looking at its bundle
 * @param fingerprint null unless it is in service; then the rest says nothing
 * @param dims length of its vectors
 * @param normalised whether its vectors have length 1
 */
public record EncoderFacts(
    String name, boolean loading, String fingerprint, int dims, boolean normalised) {}
