package org.densehook.bundle;

/**
 * One image of the self-test.
 *
 * @param image its file in base64
 * @param vector PyTorch's output, float32 [dims]
 */
public record GoldenImage(String image, float[] vector) {}
