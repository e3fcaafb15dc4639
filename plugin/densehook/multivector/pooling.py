"""Fewer token vectors: those that are alike become their mean.

Clavié, Chaffin and Adams 2024, "Reducing the Footprint of Multi-Vector Retrieval with Minimal
Performance Impact via Token Pooling": hierarchical clustering by Ward's criterion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layout import TokenVectors

FACTORS = (2, 3, 4)
"""How many times fewer vectors there may be."""

_PROTECTED = 1
"""The first token's vector stays as it is: it stands for the text as a whole."""


def pooled(vectors: TokenVectors, factor: int) -> TokenVectors:
    """Float32 [tokens, dims], of length 1 -> as many divided by ``factor``, of length 1.

    The two groups are merged whose union adds least to the squared distances of its vectors from
    their mean, the first two of several, until few enough are left; a group stands where its first
    token stood.
    """
    import numpy as np

    tokens = len(vectors) - _PROTECTED
    wanted = max(1, tokens // factor)
    if tokens <= wanted:
        return vectors
    exact = vectors[_PROTECTED:].astype(np.float64)
    # Lance and Williams 1967: from the distances of single vectors to those of groups
    distances = np.maximum(2 - 2 * (exact @ exact.T), 0)
    np.fill_diagonal(distances, np.inf)
    sizes = np.ones(tokens)
    groups = [[place] for place in range(tokens)]
    for _ in range(tokens - wanted):
        one, other = divmod(int(distances.argmin()), tokens)  # one < other: it is symmetric
        merged = (
            (sizes[one] + sizes) * distances[one]
            + (sizes[other] + sizes) * distances[other]
            - sizes * distances[one, other]
        ) / (sizes[one] + sizes[other] + sizes)
        distances[one] = distances[:, one] = merged
        distances[one, one] = distances[other] = distances[:, other] = np.inf
        sizes[one] += sizes[other]
        groups[one] += groups[other]
        groups[other] = []
    means = np.array([exact[group].mean(axis=0) for group in groups if group])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    means /= np.where(lengths > 0, lengths, 1)
    return np.concatenate([vectors[:_PROTECTED], means.astype(np.float32)])
