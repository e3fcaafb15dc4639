package org.densehook.encode;

import org.densehook.bundle.Role;

/**
 * What goes before a text.
 *
 * @param unpooled of its first tokens, how many the vector is not pooled of
 * @param role how the text is read
 */
record Prompt(String text, int unpooled, Role role) {}
