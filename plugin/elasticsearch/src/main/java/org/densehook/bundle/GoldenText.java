package org.densehook.bundle;

import java.util.List;

/**
 * One text of the self-test.
 *
 * @param ids token ids PyTorch's tokenizer gave
 * @param vector float32 [dims], PyTorch's
 */
public record GoldenText(Role role, String text, List<Long> ids, float[] vector) {}
