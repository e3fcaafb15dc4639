"""Where a fused list has its relevant documents from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..types import DocId, QueryId
from .result import Evaluation
from .systems import system_of

DEPTH = 10


@dataclass(frozen=True)
class Gains:
    """The relevant documents among the first ten hits of a fused system, over all queries.

    ``counts`` says of how many of them which lists have them among their first ten: both, or
    several, one of them alone, or none, so that fusion moved them up. ``lost`` are those that a
    list has there and the fused one has not.
    """

    system: str
    counts: Mapping[str, int]
    lost: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


def gains_of(evaluation: Evaluation) -> list[Gains]:
    """For each fused system that was measured with all of its lists."""
    return [_gains(evaluation, system, lists) for system, lists in _fused(evaluation)]


def _fused(evaluation: Evaluation) -> Iterator[tuple[str, Sequence[str]]]:
    for system in evaluation.systems:
        known = system_of(system)
        parts = known.parts if known is not None else ()
        if parts and all(part in evaluation.runs for part in parts):
            yield system, parts


def _gains(evaluation: Evaluation, system: str, lists: Sequence[str]) -> Gains:
    several = "both" if len(lists) == 2 else "several"
    counts = dict.fromkeys((several, *(f"{name} alone" for name in lists), "moved up"), 0)
    lost = 0
    for query in evaluation.qrels:
        found = _relevant(evaluation, system, query)
        held = {name: _relevant(evaluation, name, query) for name in lists}
        lost += len(set[DocId]().union(*held.values()) - found)
        for id_ in found:
            holders = [name for name in lists if id_ in held[name]]
            if len(holders) > 1:
                counts[several] += 1
            else:
                counts[f"{holders[0]} alone" if holders else "moved up"] += 1
    return Gains(system, counts, lost)


def _relevant(evaluation: Evaluation, system: str, query: QueryId) -> set[DocId]:
    judged = evaluation.qrels[query]
    hits = evaluation.runs[system].get(query, ())[:DEPTH]
    return {hit.id for hit in hits if judged.get(hit.id, 0) > 0}
