"""Multi: float32 [batch, tokens, dims], one vector a token, zeros for tokens without one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...bundle import GoldenText, Manifest, Multi
from ...bundle.kinds.multi import TOKEN_BOUNDS, sampled_places
from ...errors import EncodeError
from ...multivector import maxsim
from ..session import Rows, Vectors
from .dense import cosines

TokenRows = NDArray[np.object_]
"""Of each text its token vectors, float32 [tokens, dims]: as many as it has."""


def blank(manifest: Manifest, texts: int) -> TokenRows:
    """Texts of no tokens."""
    rows = np.empty(texts, dtype=object)
    for row in range(texts):
        rows[row] = np.zeros((0, manifest.of(Multi).dims), dtype=np.float32)
    return rows


def decoded(manifest: Manifest, output: Rows) -> TokenRows:
    """Each text's vectors without those of padding and of skipped tokens, which are zeros."""
    dims = manifest.of(Multi).dims
    if output.ndim != 3 or output.shape[2] != dims:
        shape = list(output.shape)
        raise EncodeError(f"the graph gave {shape} numbers, not [batch, tokens, {dims}]")
    rows = np.empty(len(output), dtype=object)
    for row, vectors in enumerate(np.asarray(output, dtype=np.float32)):
        rows[row] = vectors[vectors.any(axis=1)]
    return rows


def similarity(manifest: Manifest, queries: TokenRows, documents: TokenRows) -> Vectors:
    """MaxSim of each query with each document."""
    return np.array(
        [[maxsim(query, document) for document in documents] for query in queries],
        dtype=np.float32,
    ).reshape(len(queries), len(documents))


def golden_objection(manifest: Manifest, found: TokenRows, golden: Sequence[GoldenText]) -> str:
    """Which text has other tokens, or one whose vector is too far from PyTorch's."""
    bound = TOKEN_BOUNDS[manifest.precision]
    for text, vectors in zip(golden, found, strict=True):
        expected = text.output
        if len(vectors) != expected.tokens:
            return (
                f"{text.text[:40]!r} has {len(vectors)} token vectors, PyTorch gave"
                f" {expected.tokens}"
            )
        if not expected.tokens:
            continue
        places = sampled_places(expected.tokens)
        lowest = float(cosines(vectors[places], np.array(expected.vectors, np.float32)).min())
        if not lowest >= bound:  # NaN must fail too
            return (
                f"cosine {lowest:.6f} to PyTorch's vector of a token of {text.text[:40]!r} is"
                f" under {bound} for {manifest.precision}"
            )
    return ""
