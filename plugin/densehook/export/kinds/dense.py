"""Dense: by the cosine of each vector, and by the neighbours that questions find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...bundle import PRECISION_BOUNDS, Dense, Manifest
from ...encode import Vectors, cosines
from ...encode.session import Vector
from ...errors import GateError
from ..folder import Settings
from .compared import Compared

NEIGHBOURS = 10
_TIES = {"fp32": 1e-5, "fp16": 1e-3}
"""Neighbours closer in score than this may change places; of fewer bits that is not asked."""
_BATCH_TOLERANCE = 1e-3
"""Rounding makes the numbers of a vector differ by less; a scale taken from a batch by far more."""

NEAREST = "lowest_cosine"


@dataclass(frozen=True)
class Parity:
    """How vectors compare to those expected."""

    texts: int
    token_ids_equal: bool
    lowest_cosine: float
    mean_cosine: float
    largest_difference: float
    neighbours_agree: float
    batched_difference: float

    @property
    def batch_dependent(self) -> bool:
        """Whether a text's vector depends on those that it is encoded together with."""
        return not self.batched_difference <= _BATCH_TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def part(settings: Settings, sample: Vector) -> Dense:
    """As the model's folder and its recipe say."""
    return Dense(
        dims=sample.shape[0],
        similarity=settings.similarity,
        pooling=settings.pooling,
        normalise=settings.normalise,
    )


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    return (
        f"{measured['texts']} texts: token ids equal,"
        f" lowest cosine {measured['lowest_cosine']:.7f},"
        f" largest difference {measured['largest_difference']:.1e},"
        f" top-10 neighbours {measured['neighbours_agree']:.0%} the same"
    )


def judged(manifest: Manifest, compared: Compared, whose: str) -> Parity:
    """Every cosine is at or over the precision's bound, and in fp32 and fp16 neighbours agree."""
    similar = cosines(compared.batched, compared.expected)
    tie = _TIES.get(manifest.precision, 0.0)
    parity = Parity(
        texts=len(compared.texts),
        token_ids_equal=True,
        lowest_cosine=float(similar.min()),
        mean_cosine=float(similar.mean()),
        largest_difference=float(np.abs(compared.batched - compared.expected).max()),
        neighbours_agree=_agreement(compared.batched, compared.expected, compared.questions, tie),
        batched_difference=float(np.abs(compared.batched - compared.alone).max()),
    )
    _judge(parity, manifest.precision, compared.texts[int(similar.argmin())][1], whose)
    return parity


def _judge(parity: Parity, precision: str, worst: str, whose: str) -> None:
    bound = PRECISION_BOUNDS[precision]
    if not parity.lowest_cosine >= bound:  # NaN must fail too
        raise GateError(
            f"the {precision} graph is not {whose} equal: cosine {parity.lowest_cosine:.6f} for"
            f" {worst[:40]!r}, the bound is {bound}; no bundle was written"
        )
    if precision in _TIES and parity.neighbours_agree < 1:
        raise GateError(
            f"only {parity.neighbours_agree:.1%} of the top-{NEIGHBOURS} neighbours are {whose};"
            " no bundle was written"
        )


def _agreement(found: Vectors, expected: Vectors, queries: int, tie: float) -> float:
    """Share of the nearest documents, over all queries, that both spaces agree on."""
    agreed = 0
    for query in range(queries):
        scores = expected[queries:] @ expected[query]
        tenth = np.sort(scores)[-NEIGHBOURS]
        nearest = np.argsort(-(found[queries:] @ found[query]), kind="stable")[:NEIGHBOURS]
        agreed += int((scores[nearest] >= tenth - tie).sum())
    return agreed / (queries * NEIGHBOURS)
