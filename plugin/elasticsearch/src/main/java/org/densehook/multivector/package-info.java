/**
 * The vectors of a text's tokens as one value: how they are stored, pooled and compared, as the
 * Python package does it. Plain Java.
 */
package org.densehook.multivector;
