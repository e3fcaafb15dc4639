/**
 * Texts to vectors: read and tokenise, wait in lanes, run as the schedule says. Plain Java; {@link
 * org.densehook.encode.Graph} alone calls ONNX Runtime, {@link org.densehook.encode.Tokenizer}
 * alone the tokenizers library.
 */
package org.densehook.encode;
