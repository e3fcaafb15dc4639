package org.densehook.bundle;

/**
 * An output that a graph gives beside its own.
 *
 * @param output its name
 * @param part what an encoder of its kind states
 */
public record Head(String output, Part part) {}
