"""A vector as it is read, and several as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class VectorRow(NamedTuple):
    """The vector of a document, float32 [dims], and where it was read."""

    id: str
    vector: NDArray[np.float32]
    origin: str


class VectorBatch(NamedTuple):
    """Vectors of some documents, float32 [n, dims], with their ids and their texts."""

    ids: Sequence[str]
    texts: Sequence[str]
    vectors: NDArray[np.float32]
