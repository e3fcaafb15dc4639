"""Cross: float32 [batch, 1], one score a pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...bundle import Cross, GoldenText, Manifest
from ...errors import EncodeError, RequestError
from ..session import Rows, Vectors


def blank(manifest: Manifest, texts: int) -> Vectors:
    """Scores of zero, float32 [n, 1]."""
    return np.zeros((texts, 1), dtype=np.float32)


def decoded(manifest: Manifest, output: Rows) -> Vectors:
    """The scores, float32 [n, 1]."""
    if output.ndim != 2 or output.shape[1] != 1:
        raise EncodeError(f"the graph gave {list(output.shape)} numbers, not [batch, 1]")
    return np.asarray(output, dtype=np.float32)


def similarity(manifest: Manifest, queries: Vectors, documents: Vectors) -> Vectors:
    """RequestError: scores are not compared."""
    raise RequestError(
        f"encoder {manifest.name!r} is of kind {manifest.kind!r}, whose scores are of pairs; it has"
        " no vectors to compare"
    )


def golden_objection(manifest: Manifest, found: Vectors, golden: Sequence[GoldenText]) -> str:
    """Which score is further from PyTorch's than the precision's bound; empty when none is."""
    bound = manifest.of(Cross).bound(manifest.precision)
    for text, (score,) in zip(golden, found.tolist(), strict=True):
        if not abs(score - text.output) <= bound:  # NaN must fail too
            return (
                f"score {score:.6f} of {text.text[:40]!r} for {str(text.query)[:40]!r} is not"
                f" PyTorch's {text.output:.6f}, within {bound:g} for {manifest.precision}"
            )
    return ""
