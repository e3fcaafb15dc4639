package org.densehook.fusion;

import java.util.List;

/**
 * A fused document.
 *
 * @param score the sum of its parts' contributions
 * @param parts one for each ranking, in the order in which the rankings were given
 */
public record FusedHit<K>(K id, double score, List<Part> parts) {}
