package org.densehook.bundle;

import java.util.List;

/**
 * One text of the self-test.
 *
 * @param ids token ids PyTorch's tokenizer gave
 * @param vector float32 [dims], PyTorch's; of a pair its score alone
 * @param query the query that the text is in a pair with; null for a text by itself
 */
public record GoldenText(Role role, String text, List<Long> ids, float[] vector, String query) {}
