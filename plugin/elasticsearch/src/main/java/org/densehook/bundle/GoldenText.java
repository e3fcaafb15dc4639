package org.densehook.bundle;

import java.util.List;

/**
 * One text of the self-test.
 *
 * @param ids token ids PyTorch's tokenizer gave
 * @param vector PyTorch's output as the kind keeps it; of a dense encoder float32 [dims]
 */
public record GoldenText(Role role, String text, List<Long> ids, float[] vector) {}
