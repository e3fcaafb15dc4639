package org.densehook.bundle;

import java.util.List;

/**
 * One text of the self-test.
 *
 * @param ids token ids PyTorch's tokenizer gave
 * @param vector PyTorch's output, as a row of this kind has it: of a dense one float32 [dims], of a
 *     pair its score alone
 * @param query the query that the text is in a pair with; null for a text by itself
 */
public record GoldenText(Role role, String text, List<Long> ids, float[] vector, String query) {}
