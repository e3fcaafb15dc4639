"""What an evaluation gives: figures, what differs and how surely, and what to beware of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..types import Qrels, QueryId, Run
from .judged import Judged
from .latency import Latency
from .measures import Values
from .significance import SEED, Difference, Interval

Systems = Mapping[str, Mapping[str, float]]
"""For each system, in the order asked for, its measures by name: means, with four decimals."""

METRICS = "metrics.json"
QUERIES = "queries.jsonl"
REPORT, MARKDOWN, LATEX = "report.html", "report.md", "report.tex"
ANN, ANN_REPORT, ANN_MARKDOWN = "ann.json", "ann.html", "ann.md"
"""The files of an evaluation's folder, all but the first two written by the rooms above."""


@dataclass(frozen=True)
class KindOfQuery:
    """What was measured over the ``queries`` judged queries of one kind."""

    queries: int
    systems: Systems


@dataclass(frozen=True)
class Evaluation:
    """What was measured over all ``queries`` judged queries, and over those of each kind.

    ``systems`` are the means, trec_eval's own where it has the measure; ``intervals`` say where
    they may lie, ``differences`` how the others stand to the ``baseline``, ``judged`` how far the
    judgements reach, and ``values`` hold each query. A collection that tells no kinds has none; of
    one in several languages ``macro`` are the means of the languages' means.
    ``runs`` are as they were written, ``texts`` those of the queries, as far as they are known, and
    ``about`` says what was run and where; ``latencies`` how long the systems that serve searches
    took to answer, by one caller and by several; ``warnings`` are what to beware of, a line each.
    ``output`` holds metrics.json, queries.jsonl, qrels.trec and runs/SYSTEM.trec.
    """

    collection: str
    queries: int
    systems: Systems
    output: Path
    kinds: Mapping[str, KindOfQuery] = field(default_factory=dict)
    macro: Systems = field(default_factory=dict)
    baseline: str | None = None
    intervals: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict, repr=False)
    differences: Sequence[Difference] = field(default=(), repr=False)
    judged: Mapping[str, Judged] = field(default_factory=dict, repr=False)
    values: Mapping[str, Values] = field(default_factory=dict, repr=False)
    runs: Mapping[str, Run] = field(default_factory=dict, repr=False)
    qrels: Qrels = field(default_factory=dict, repr=False)
    texts: Mapping[QueryId, str] = field(default_factory=dict, repr=False)
    about: Mapping[str, str] = field(default_factory=dict)
    latencies: Mapping[str, Sequence[Latency]] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def measures(self) -> list[str]:
        """The names of what was measured; the first is the one that decides."""
        return list(next(iter(self.systems.values()), {}))

    def difference(self, system: str, measure: str) -> Difference | None:
        """How a system stands to the baseline; None for the baseline itself."""
        found = (d for d in self.differences if (d.system, d.measure) == (system, measure))
        return next(found, None)

    def as_json(self) -> dict[str, Any]:
        """Give what metrics.json holds."""
        made: dict[str, Any] = {
            "collection": self.collection,
            **_as_json(self.queries, self.systems),
        }
        if self.kinds:
            made["kinds"] = {
                name: _as_json(kind.queries, kind.systems) for name, kind in self.kinds.items()
            }
        if self.intervals:
            made["intervals"] = {
                system: {name: [each.low, each.high] for name, each in found.items()}
                for system, found in self.intervals.items()
            }
        if self.differences:
            made["baseline"] = self.baseline
            made["seed"] = SEED
            made["differences"] = [each.as_json() for each in self.differences]
        if self.latencies:
            made["latency"] = {
                name: [asdict(each) for each in found] for name, found in self.latencies.items()
            }
        last = {
            "macro": {system: dict(means) for system, means in self.macro.items()},
            "about": dict(self.about),
            "warnings": list(self.warnings),
            "judged": {name: each.as_json() for name, each in self.judged.items()},
        }
        return {**made, **{name: told for name, told in last.items() if told}}


def _as_json(queries: int, systems: Systems) -> dict[str, Any]:
    return {
        "queries": queries,
        "systems": {name: dict(measures) for name, measures in systems.items()},
    }
