/**
 * Texts to vectors: tokenise, pack, run, in lanes. Plain Java; {@link org.densehook.encode.Graph}
 * alone calls ONNX Runtime, {@link org.densehook.encode.Tokenizer} alone the tokenizers library.
 */
package org.densehook.encode;
