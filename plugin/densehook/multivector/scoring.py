"""MaxSim: how well a document's tokens answer those of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import VectorError

if TYPE_CHECKING:
    from .layout import TokenVectors


def maxsim(query: TokenVectors, document: TokenVectors) -> float:
    """Float32 [n, dims] and [m, dims] -> the sum over n of the best inner product among m.

    Khattab and Zaharia 2020, eq. 3. No tokens have no score: 0. Elasticsearch has no scores under
    0 either. Raises VectorError for vectors of other dims than the query's.
    """
    if not len(query) or not len(document):
        return 0.0
    if query.shape[1] != document.shape[1]:
        raise VectorError(
            f"token vectors have {document.shape[1]} dims, those of the query {query.shape[1]}"
        )
    return max(0.0, float((query @ document.T).max(axis=1).sum()))
