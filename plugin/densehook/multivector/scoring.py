"""MaxSim: how well a document's tokens answer those of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layout import TokenVectors


def maxsim(query: TokenVectors, document: TokenVectors) -> float:
    """Float32 [n, dims] and [m, dims] -> the sum over n of the best inner product among m.

    Khattab and Zaharia 2020, eq. 3. No tokens have no score: 0. Elasticsearch has no scores under
    0 either.
    """
    if not len(query) or not len(document):
        return 0.0
    return max(0.0, float((query @ document.T).max(axis=1).sum()))
