"""float32 as JSON holds it, and what a vector may not be."""

from __future__ import annotations

import base64
import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import CollectionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNIT_APART = 1e-3
"""How far a squared length may be from 1; Elasticsearch's own bound for dot_product."""
_ID_SHOWN = 80


def shortest(vector: NDArray[np.float32]) -> list[float]:
    """The numbers of a vector whose JSON is the shortest that gives the same float32."""
    short = vector.astype(str).astype(np.float64)
    # who reads a float64 first and rounds that must come to the same
    exact = short.astype(np.float32) == vector
    return list(np.where(exact, short, vector.astype(np.float64)).tolist())


def vector_of(values: Any, origin: str) -> NDArray[np.float32]:
    """A vector of JSON's numbers -> float32 [dims]. Raises CollectionError for anything else."""
    if isinstance(values, Mapping):
        raise CollectionError(
            f"{origin}: its vector is an object of weights, as of an impact index; what is read"
            " here is a list of numbers (densehook impacts import reads the other)"
        )
    if not isinstance(values, list) or not values or not {*map(type, values)} <= {int, float}:
        raise CollectionError(
            f"{origin}: its vector is {reprlib.repr(values)}; it must be a list of numbers"
        )
    with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, and is refused
        return np.array(values, dtype=np.float64).astype(np.float32)


def stored_floats(value: Any) -> NDArray[np.float32] | None:
    """A vector as a document's source has it: numbers, or big-endian float32 in base64."""
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value), dtype=">f4").astype(np.float32)
    if not isinstance(value, list):
        return None
    return np.array(value, dtype=np.float64).astype(np.float32)


def stacked(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Vectors of one length -> float32 [n, dims]."""
    return np.stack(vectors)


def objection(vector: NDArray[np.float32], dims: int, *, unit: bool) -> str:
    """Why a field of so many dims, which may take vectors of length 1 alone, cannot hold it."""
    if len(vector) != dims:
        return f"has {len(vector)} dims, and the field {dims}"
    if not np.isfinite(vector).all():
        return "holds a number that is not finite"
    squared = float(np.square(vector, dtype=np.float64).sum())
    if unit and abs(squared - 1) > _UNIT_APART:
        return f"has length {squared**0.5:.4f}, and a dot_product field takes length 1 alone"
    return ""


def shown_id(id_: str) -> str:
    """An id for a message; one that is none may be long."""
    return repr(id_ if len(id_) <= _ID_SHOWN else id_[:_ID_SHOWN] + "…")
