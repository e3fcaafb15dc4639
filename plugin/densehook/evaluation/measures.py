"""Effectiveness measures, computed by the trec_eval that Pyserini runs.

``python -m pyserini.eval.trec_eval`` starts this same program in Anserini's jar, after about ten
seconds of imports.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import EvaluationError
from ..types import QueryId
from .anserini import anserini_jar, child_environment, telling_line


@dataclass(frozen=True)
class Measure:
    """A measure in trec_eval's words.

    ``name`` is what ``-m`` takes; ``depth`` is what ``-M`` takes, the length each ranking is cut
    to first, for a measure that has no cut-off of its own.
    """

    name: str
    depth: int | None = None

    @property
    def label(self) -> str:
        """The name as trec_eval prints it."""
        return self.name.replace(".", "_")


MEASURES: Mapping[str, Measure] = {
    "nDCG@10": Measure("ndcg_cut.10"),
    "R@100": Measure("recall.100"),
    "MAP@100": Measure("map_cut.100"),
    "MRR@10": Measure("recip_rank", depth=10),
}
"""Measures by the field's names, in the order they are shown."""


@dataclass(frozen=True)
class Measured:
    """What trec_eval says of a run, by the measures' names, each number with four decimals.

    ``means`` are over all judged queries; ``queries`` has the values of each one with hits.
    """

    means: Mapping[str, float]
    queries: Mapping[QueryId, Mapping[str, float]] = field(default_factory=dict)

    def mean_of(self, queries: Iterable[QueryId]) -> dict[str, float]:
        """Means over some of the judged queries; one without hits counts 0, as in ``means``."""
        values = [self.queries.get(query, {}) for query in queries]
        return {
            name: round(sum(each.get(name, 0.0) for each in values) / len(values), 4)
            for name in MEASURES
        }


def measure(run: Path, qrels: Path, java_home: Path) -> dict[str, float]:
    """Measure a TREC run: name of the measure -> mean over all judged queries, four decimals.

    With trec_eval's -c a judged query without hits counts 0. Raises EvaluationError with
    trec_eval's own words when it does not give every measure.
    """
    return dict(measure_queries(run, qrels, java_home).means)


def measure_queries(run: Path, qrels: Path, java_home: Path) -> Measured:
    """As ``measure``, and each query by itself. Raises EvaluationError likewise."""
    if run.exists() and run.stat().st_size == 0:  # trec_eval refuses a run that found nothing
        return Measured(dict.fromkeys(MEASURES, 0.0))
    means: dict[str, float] = {}
    queries: dict[QueryId, dict[str, float]] = {}
    for depth in dict.fromkeys(wanted.depth for wanted in MEASURES.values()):
        together = {
            wanted.label: name for name, wanted in MEASURES.items() if wanted.depth == depth
        }
        values = _trec_eval(
            [MEASURES[name] for name in together.values()], depth, run, qrels, java_home
        )
        for label, name in together.items():
            *each, (_, means[name]) = values[label]  # the mean comes last
            for query, value in each:
                queries.setdefault(query, {})[name] = value
    return Measured({name: means[name] for name in MEASURES}, queries)


def _trec_eval(
    wanted: Iterable[Measure], depth: int | None, run: Path, qrels: Path, java_home: Path
) -> dict[str, list[tuple[QueryId, float]]]:
    """By label the value of each query, and last the mean over all of them."""
    cut = [] if depth is None else ["-M", str(depth)]
    names = [argument for each in wanted for argument in ("-m", each.name)]
    java = [str(java_home / "bin" / "java"), "-cp", str(anserini_jar()), "trec_eval"]
    done = subprocess.run(
        [*java, "-c", "-q", *cut, *names, str(qrels), str(run)],
        env=child_environment(java_home),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    values: dict[str, list[tuple[QueryId, float]]] = {each.label: [] for each in wanted}
    for label, query, value in (row for row in rows if len(row) == 3 and row[0] in values):
        values[label].append((query, float(value)))
    if not all(values.values()):  # its exit status is 0 even when it fails
        said = telling_line(done.stderr.splitlines())
        raise EvaluationError(f"trec_eval cannot measure {run}: {said}")
    return values
