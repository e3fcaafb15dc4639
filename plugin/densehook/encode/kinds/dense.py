"""Dense: float32 [batch, dims], one vector a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...bundle import PRECISION_BOUNDS, Dense, GoldenText, Manifest
from ...errors import EncodeError
from ..session import Rows, Vectors


def blank(manifest: Manifest, texts: int) -> Vectors:
    """Vectors of zeros."""
    return np.zeros((texts, manifest.of(Dense).dims), dtype=np.float32)


def decoded(manifest: Manifest, output: Rows) -> Vectors:
    """The vectors themselves."""
    dims = manifest.of(Dense).dims
    if output.ndim != 2 or output.shape[1] != dims:
        raise EncodeError(f"the graph gave {list(output.shape)} numbers, not [batch, {dims}]")
    return np.asarray(output, dtype=np.float32)


def similarity(manifest: Manifest, queries: Vectors, documents: Vectors) -> Vectors:
    """Inner products, of unit vectors where the similarity is the cosine."""
    one, other = np.atleast_2d(queries), np.atleast_2d(documents)
    if manifest.of(Dense).similarity == "cosine":
        one, other = unit(one), unit(other)
    return np.asarray(one @ other.T, dtype=np.float32)


def golden_objection(manifest: Manifest, found: Vectors, golden: Sequence[GoldenText]) -> str:
    """Which vector's cosine to PyTorch's is under the precision's bound; empty when none is."""
    bound = PRECISION_BOUNDS[manifest.precision]
    expected = np.array([text.output for text in golden], dtype=np.float32)
    for text, cosine in zip(golden, cosines(found, expected), strict=True):
        if not cosine >= bound:  # NaN must fail too
            return (
                f"cosine {cosine:.6f} to PyTorch's vector of {text.text[:40]!r} is under {bound}"
                f" for {manifest.precision}"
            )
    return ""


def cosines(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    """Row by row: float32 [n, dims] twice -> float64 [n]; two rows of zeros are one direction."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    blank = ~a.any(axis=1) & ~b.any(axis=1)
    return np.where(blank, 1.0, (a * b).sum(axis=1) / np.where(blank, 1.0, norms))


def unit(vectors: Vectors) -> Vectors:
    """The same directions, of length 1; a vector of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
