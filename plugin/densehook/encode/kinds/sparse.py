"""Sparse: float32 [batch, 2, max_terms], token ids and their weights, the largest first.

Where a text has fewer terms, zeros fill the row. In an array of objects a row is a dict.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ...bundle import IDF, Bundle, GoldenText, Manifest, Sparse
from ...bundle.kinds.sparse import SPARSE_COSINES, SPARSE_DIFFERENCES
from ...errors import BundleError, EncodeError
from ..session import Rows, Vectors
from ..tokenizer import Tokenizer

Weights = Mapping[str, float]


def blank(manifest: Manifest, texts: int) -> Rows:
    """No terms."""
    rows = np.empty(texts, dtype=object)
    for n in range(texts):
        rows[n] = {}
    return rows


def decoded(manifest: Manifest, output: Rows) -> Rows:
    """Weights by token id, of the tokens that have one; ``Lexicon.named`` gives them by token."""
    terms = manifest.of(Sparse).max_terms
    if output.ndim != 3 or output.shape[1:] != (2, terms):
        raise EncodeError(f"the graph gave {list(output.shape)} numbers, not [batch, 2, {terms}]")
    rows = np.empty(len(output), dtype=object)
    for n, (ids, weights) in enumerate(output):
        kept = weights > 0
        rows[n] = dict(zip(ids[kept].astype(int).tolist(), weights[kept].tolist(), strict=True))
    return rows


def similarity(manifest: Manifest, queries: Any, documents: Any) -> Vectors:
    """Inner products: rows of n queries and m documents, or one of either -> float32 [n, m]."""
    one, other = np.atleast_1d(queries), np.atleast_1d(documents)
    column = {token: n for n, token in enumerate({token for row in one for token in row})}
    weights = np.zeros((len(one), len(column)))
    for n, row in enumerate(one):
        weights[n, [column[token] for token in row]] = list(row.values())
    scores = np.zeros((len(one), len(other)), dtype=np.float32)
    for n, row in enumerate(other):
        shared = [token for token in row if token in column]
        if shared:
            places = [column[token] for token in shared]
            scores[:, n] = weights[:, places] @ [row[token] for token in shared]
    return scores


def golden_objection(manifest: Manifest, found: Any, golden: Sequence[GoldenText]) -> str:
    """Which text's weights are not as near to PyTorch's as the precision asks; else empty."""
    part, precision = manifest.of(Sparse), manifest.precision
    for row, text in zip(found, golden, strict=True):
        lowest, most = SPARSE_COSINES[precision], SPARSE_DIFFERENCES.get(precision, math.inf)
        if not (near := cosine(row, text.output)) >= lowest:
            return (
                f"cosine {near:.6f} to PyTorch's weights of {text.text[:40]!r} is under {lowest}"
                f" for {precision}"
            )
        if not (apart := difference(row, text.output, part.max_terms)) <= most:
            return (
                f"a weight of {text.text[:40]!r} is {apart:.2g} of the largest from PyTorch's, over"
                f" {most} for {precision}"
            )
    return ""


def dot(one: Weights, other: Weights) -> float:
    """The sum over the tokens of both of weight times weight."""
    if len(other) < len(one):
        one, other = other, one
    return math.fsum(weight * other[token] for token, weight in one.items() if token in other)


def cosine(one: Weights, other: Weights) -> float:
    """Of their angle; 1 where neither has a term."""
    lengths = math.sqrt(dot(one, one) * dot(other, other))
    return dot(one, other) / lengths if lengths else float(not one and not other)


def difference(found: Weights, expected: Weights, most: int) -> float:
    """The largest difference of two weights of a token, in parts of the largest that is expected.

    Of ``most`` terms the last are cut off: a token that one of the two lacks is as far from it as
    its weight is from the least there.
    """
    apart = 0.0
    for here, there in ((found, expected), (expected, found)):
        cut = min(there.values()) if len(there) >= most else 0.0
        for token, weight in here.items():
            known = there.get(token)
            own = max(0.0, weight - cut) if known is None else abs(weight - known)
            apart = max(apart, own)
    return apart / max(expected.values(), default=1.0)


def largest(weights: Weights, most: int) -> dict[str, float]:
    """The largest so many, in their order; of equal ones the first."""
    ordered = sorted(weights.items(), key=lambda each: -each[1])
    return dict(islice(ordered, most))


class Lexicon:
    """A bundle's tokens as tokenizer.json has them and, where it has a table, a query's weights."""

    def __init__(self, bundle: Bundle, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._part = bundle.manifest.of(Sparse)
        self._idf = _table(bundle) if self._part.query == "idf" else None

    @property
    def weighs_queries(self) -> bool:
        """Whether a query needs no graph."""
        return self._idf is not None

    def named(self, rows: Rows) -> Rows:
        """Rows by token id -> rows by token. Raises EncodeError for an id that is no token."""
        for n, row in enumerate(rows):
            rows[n] = {self._token(number): weight for number, weight in row.items()}
        return rows

    def weighed(self, ids: Sequence[int]) -> dict[str, float]:
        """The tokens of a query, each once -> their weights in the table, the largest first."""
        assert self._idf is not None
        tokens = [self._token(number) for number in sorted(set(ids))]
        weights = {token: self._idf[token] for token in tokens if token in self._idf}
        return largest(weights, self._part.max_terms)

    def _token(self, number: int) -> str:
        token = self._tokenizer.token(number)
        if token is None:
            raise EncodeError(f"the graph gave a weight to {number}, which is no token's id")
        return token


def _table(bundle: Bundle) -> Mapping[str, float]:
    """The weights of idf.json, float32, without those that are 0."""
    path = bundle.path / IDF
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        weights = {str(token): np.float32(weight) for token, weight in stated.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(f"{path} is no table of weights by token: {error}") from None
    if not all(0 <= weight < math.inf for weight in weights.values()):
        raise BundleError(f"{path} has a weight that is no finite number from 0 on")
    return {token: float(weight) for token, weight in weights.items() if weight > 0}
