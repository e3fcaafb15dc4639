/** Cutting long texts: text and token counts in, borders out. Plain Java. */
package org.densehook.chunk;
