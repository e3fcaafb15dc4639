"""Fewer token vectors: those that are alike become their mean.

Clavié, Chaffin and Adams 2024, "Reducing the Footprint of Multi-Vector Retrieval with Minimal
Performance Impact via Token Pooling": hierarchical clustering by Ward's criterion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .layout import TokenVectors

FACTORS = (2, 3, 4)
"""How many times fewer vectors there may be."""

WINDOW = 1024
"""The most tokens that are compared with each other, since every pair of them has a distance.

So a text of any length takes 8 MB, and time by its length alone. A longer one is cut into as many
windows as that takes, of one size, each of which gives its share of the vectors.
"""

_PROTECTED = 1
"""The first token's vector stays as it is: it stands for the text as a whole."""


def pooled(vectors: TokenVectors, factor: int) -> TokenVectors:
    """Float32 [tokens, dims], of length 1 -> as many divided by ``factor``, of length 1.

    The two groups are merged whose union adds least to the squared distances of its vectors from
    their mean, the first two of several, until few enough are left; a group stands where its first
    token stood. Of more than ``WINDOW`` tokens only those of one window are merged.
    """
    import numpy as np

    tokens = len(vectors) - _PROTECTED
    wanted = max(1, tokens // factor)
    if tokens <= wanted:
        return vectors
    exact = vectors[_PROTECTED:].astype(np.float64)
    windows = -(-tokens // WINDOW)
    groups = []
    for window in range(windows):
        start, end = tokens * window // windows, tokens * (window + 1) // windows
        share = wanted * end // tokens - wanted * start // tokens
        groups += [
            [start + place for place in group] for group in _grouped(exact[start:end], share)
        ]
    means = np.array([exact[group].mean(axis=0) for group in groups])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    means /= np.where(lengths > 0, lengths, 1)
    return np.concatenate([vectors[:_PROTECTED], means.astype(np.float32)])


def _grouped(exact: Any, wanted: int) -> list[list[int]]:
    """Float64 [tokens, dims] -> the places of each of so many groups, by their first places.

    Each group's nearest one is kept, and looked for again where that was merged: so a merge takes
    time by the tokens, not by their pairs, and is the very one that all pairs would give.
    """
    import numpy as np

    tokens = len(exact)
    # Lance and Williams 1967: from the distances of single vectors to those of groups
    distances = np.maximum(2 - 2 * (exact @ exact.T), 0)
    np.fill_diagonal(distances, np.inf)
    nearest, least = distances.argmin(axis=1), distances.min(axis=1)
    sizes = np.ones(tokens)
    groups = [[place] for place in range(tokens)]
    for _ in range(tokens - wanted):
        one = int(least.argmin())
        other = int(nearest[one])  # one < other: it is symmetric
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
        least[other] = np.inf
        nearer = (merged < least) | ((merged == least) & (nearest > one))
        nearest[nearer], least[nearer] = one, merged[nearer]
        lost = (nearest == one) & ~nearer | (nearest == other)
        again = np.flatnonzero(lost & (least < np.inf))
        nearest[again] = distances[again].argmin(axis=1)
        least[again] = distances[again, nearest[again]]
    return [group for group in groups if group]
