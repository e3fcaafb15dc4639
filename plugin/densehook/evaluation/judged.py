"""How far judgements reach: what nobody judged counts as irrelevant, and may decide.

A system that finds documents nobody looked at is measured too low. Two figures tell: the share of
its first hits that is judged, and what it reaches when unjudged documents are taken out of every
ranking (condensed lists: Sakai 2007, "Alternatives to Bpref").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .measures import Values, means
from .significance import differences

DEPTH = 10
JUDGED = (f"Judged@{DEPTH}", f"nDCG@{DEPTH}", f"nDCG(judged_only=True)@{DEPTH}")
"""The measures that tell, in the order of ``Judged``."""
NO_HITS = {JUDGED[0]: 1.0}
"""What they say of a query without hits, of which none is unjudged."""


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


def warnings(values: Mapping[str, Values], baseline: str) -> list[str]:
    """A line for each system whose standing to the baseline hangs on unjudged documents.

    ``values`` are those of ``JUDGED`` for every query. A standing is what the test takes for a
    difference, not a mean that happens to be higher.
    """
    plain, condensed = (
        {each.system: each.verdict for each in differences(values, [name], baseline)}
        for name in JUDGED[1:]
    )
    base = judged_of(values[baseline])
    return [
        f"by nDCG@10 {system} is {_to(plain[system], baseline)}; where unjudged documents are left"
        f" out of the lists, {_to(condensed[system], baseline)}. Of its first {DEPTH} hits"
        f" {1 - judged_of(values[system]).share:.0%} are unjudged, of {baseline}'s"
        f" {1 - base.share:.0%}: judge them before you decide"
        for system in plain
        # where only what is relevant is judged, all is alike without the rest: that says nothing
        if condensed[system] not in ("no difference", plain[system])
    ]


def _to(verdict: str, baseline: str) -> str:
    if verdict == "no difference":
        return f"not surely other than {baseline}"
    return f"{verdict} than {baseline}"
