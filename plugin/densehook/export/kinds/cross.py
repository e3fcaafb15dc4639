"""Cross: by the difference of each score, and by the order of passages for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...bundle import Cross, Manifest
from ...encode.session import Vector
from ...errors import GateError
from .compared import Compared

RANKED = 10
"""Passages that each question puts in order."""
_TIES = {"fp32": 1e-4, "fp16": 1e-2}
"""Passages whose scores are closer may change places; of fewer bits order is only measured."""
_BATCH_TOLERANCE = 1e-3

NEAREST = "orders_agree"


@dataclass(frozen=True)
class Pairs:
    """Pairs of query and text, and what each of three gave for them: float32 [n].

    The first ``questions`` times ``RANKED`` are questions with the same passages, in their order.
    ``batched`` is the graph's as it will be served, ``alone`` the graph's for each pair by itself,
    ``expected`` that of what the graph was made of.
    """

    pairs: Sequence[tuple[str, str]]
    questions: int
    batched: Vector
    alone: Vector
    expected: Vector


@dataclass(frozen=True)
class Parity:
    """How scores compare to those expected."""

    pairs: int
    token_ids_equal: bool
    largest_difference: float
    mean_difference: float
    orders_agree: float
    batched_difference: float

    @property
    def batch_dependent(self) -> bool:
        """Whether a pair's score depends on those that it is scored together with."""
        return not self.batched_difference <= _BATCH_TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    return (
        f"{measured['pairs']} pairs: token ids equal,"
        f" largest difference of a score {measured['largest_difference']:.1e},"
        f" orders {measured['orders_agree']:.0%} the same"
    )


def part(settings: Any, sample: Any) -> Cross:
    """As the tokens of pairs and the activation of their scores say, which are given for these."""
    return Cross(pairing=settings.pairing, activation=sample)


def judged(manifest: Manifest, compared: Compared, whose: str) -> Parity:
    """Raises GateError: texts alone have no scores."""
    raise GateError(
        f"encoder {manifest.name!r} is of kind {manifest.kind!r}, which is judged by its scores of"
        " pairs; this can be done with vectors alone"
    )


def judged_pairs(manifest: Manifest, found: Pairs, whose: str) -> Parity:
    """Every score is within the precision's bound, and in fp32 and fp16 orders agree.

    Raises GateError where they do not.
    """
    differences = np.abs(found.batched - found.expected)
    bound = manifest.of(Cross).bound(manifest.precision)
    parity = Parity(
        pairs=len(found.pairs),
        token_ids_equal=True,
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        orders_agree=orders_agree(found, _TIES.get(manifest.precision, 0.0)),
        batched_difference=float(np.abs(found.batched - found.alone).max()),
    )
    if not parity.largest_difference <= bound:  # NaN must fail too
        query, text = found.pairs[int(np.nanargmax(differences))]
        raise GateError(
            f"the {manifest.precision} graph is not {whose} equal: a score differs by"
            f" {parity.largest_difference:.6f} for {query[:40]!r} with {text[:40]!r}, the bound is"
            f" {bound:g}; no bundle was written"
        )
    if manifest.precision in _TIES and parity.orders_agree < 1:
        raise GateError(
            f"for only {parity.orders_agree:.1%} of the questions the order of {RANKED} passages is"
            f" {whose}; no bundle was written"
        )
    return parity


def orders_agree(found: Pairs, tie: float = _TIES["fp32"]) -> float:
    """Share of the questions whose passages, best first, never go up in the expected scores."""
    shape = (found.questions, RANKED)
    ranked = found.questions * RANKED
    expected = found.expected[:ranked].reshape(shape)
    order = np.argsort(-found.batched[:ranked].reshape(shape), axis=1, kind="stable")
    steps = np.diff(np.take_along_axis(expected, order, axis=1), axis=1)
    return float((steps <= tie).all(axis=1).mean())
