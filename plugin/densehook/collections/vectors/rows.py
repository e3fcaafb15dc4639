"""A vector as it is read, and several as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .origin import MadeBy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class VectorRow(NamedTuple):
    """A document's vector, float32 [dims], where it was read, and who made it if that is kept."""

    id: str
    vector: NDArray[np.float32]
    origin: str
    made_by: MadeBy | None = None


class VectorBatch(NamedTuple):
    """Vectors of some documents, float32 [n, dims], with their ids, their texts and their makers.

    Of a file that keeps a maker for all its vectors it is kept where all have the same.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    vectors: NDArray[np.float32]
    makers: Sequence[MadeBy | None]


class Maker:
    """The one maker of all vectors that it hears of, if there is one."""

    def __init__(self) -> None:
        self._heard: set[MadeBy | None] = set()

    def hear(self, makers: Sequence[MadeBy | None]) -> None:
        """Takes note of some."""
        self._heard.update(makers)

    @property
    def of_all(self) -> MadeBy | None:
        """The maker of all of them; None where they have several, or none."""
        return next(iter(self._heard)) if len(self._heard) == 1 else None
