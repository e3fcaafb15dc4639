"""How far judgements reach: what nobody judged counts as irrelevant, and may decide.

A system that finds documents nobody looked at is measured too low. Two figures tell: the share of
its first hits that is judged, and what it reaches when unjudged documents are taken out of every
ranking (condensed lists: Sakai 2007, "Alternatives to Bpref").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .measures import Values, means

DEPTH = 10
JUDGED = (f"Judged@{DEPTH}", f"nDCG@{DEPTH}", f"nDCG(judged_only=True)@{DEPTH}")
"""The measures that tell, in the order of ``Judged``."""


@dataclass(frozen=True)
class Judged:
    """Of one system, means over all judged queries.

    ``share`` of its first ten hits is judged; ``plain`` is nDCG@10, ``condensed`` the same without
    the documents that nobody judged.
    """

    share: float
    plain: float
    condensed: float

    def as_json(self) -> dict[str, Any]:
        """What metrics.json holds of it."""
        return asdict(self)


def judged_of(values: Values) -> Judged:
    """What is judged of a run's first hits, from its queries' measures of these names."""
    found = means(values, JUDGED)
    return Judged(*(found[name] for name in JUDGED))


def warnings(judged: Mapping[str, Judged], baseline: str) -> Sequence[str]:
    """A line for each system whose standing to the baseline hangs on unjudged documents."""
    base = judged[baseline]
    return [
        f"{system} is {_than(each.plain, base.plain)} {baseline} by nDCG@10, and"
        f" {_than(each.condensed, base.condensed)} it where unjudged documents are left out:"
        f" {1 - each.share:.0%} of its first {DEPTH} hits are unjudged,"
        f" {1 - base.share:.0%} of {baseline}'s"
        for system, each in judged.items()
        if system != baseline
        and (each.plain > base.plain) != (each.condensed > base.condensed)
        and each.plain != base.plain
    ]


def _than(value: float, other: float) -> str:
    if value == other:
        return "as good as"
    return "better than" if value > other else "worse than"
