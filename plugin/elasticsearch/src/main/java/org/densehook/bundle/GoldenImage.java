package org.densehook.bundle;

/**
 * One image of the self-test.
 *
 * @param image its file in base64
 * @param vector PyTorch's output, as the kind's golden texts have it
 */
public record GoldenImage(String image, float[] vector) {}
