"""Where a fused list has its relevant documents from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..types import DocId, QueryId
from .result import Evaluation
from .systems import system_of

DEPTH = 10


@dataclass(frozen=True)
class Gains:
    """The relevant documents among the first ten hits of a fused system, over all queries.

    ``counts`` says of how many of them which lists have them among their first ten: both, one of
    them alone, or neither, so that fusion moved them up. ``lost`` are those that a list has there
    and the fused one has not.
    """

    system: str
    counts: Mapping[str, int]
    lost: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


def gains_of(evaluation: Evaluation) -> list[Gains]:
    """For each fused system that was measured with both of its lists."""
    return [
        _gains(evaluation, system, first, second) for system, first, second in _fused(evaluation)
    ]


def _fused(evaluation: Evaluation) -> Iterator[tuple[str, str, str]]:
    for system in evaluation.systems:
        known = system_of(system)
        parts = known.parts if known is not None else ()
        if len(parts) == 2 and all(part in evaluation.runs for part in parts):
            yield system, parts[0], parts[1]


def _gains(evaluation: Evaluation, system: str, first: str, second: str) -> Gains:
    counts = dict.fromkeys(("both", f"{first} alone", f"{second} alone", "moved up"), 0)
    lost = 0
    for query in evaluation.qrels:
        found = {name: _relevant(evaluation, name, query) for name in (system, first, second)}
        lost += len((found[first] | found[second]) - found[system])
        for id_ in found[system]:
            in_first, in_second = id_ in found[first], id_ in found[second]
            if in_first and in_second:
                counts["both"] += 1
            elif in_first or in_second:
                counts[f"{first if in_first else second} alone"] += 1
            else:
                counts["moved up"] += 1
    return Gains(system, counts, lost)


def _relevant(evaluation: Evaluation, system: str, query: QueryId) -> set[DocId]:
    judged = evaluation.qrels[query]
    hits = evaluation.runs[system].get(query, ())[:DEPTH]
    return {hit.id for hit in hits if judged.get(hit.id, 0) > 0}
