package org.densehook.encode;

/**
 * What goes before a text.
 *
 * @param unpooled of its first tokens, how many the vector is not pooled of
 */
record Prompt(String text, int unpooled) {}
