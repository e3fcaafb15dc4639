"""Effectiveness measures, computed by the trec_eval that Pyserini runs.

``python -m pyserini.eval.trec_eval`` starts this same program in Anserini's jar, after about ten
seconds of imports.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import EvaluationError
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


def measure(run: Path, qrels: Path, java_home: Path) -> dict[str, float]:
    """Measure a TREC run: name of the measure -> mean over all judged queries, four decimals.

    With trec_eval's -c a judged query without hits counts 0. Raises EvaluationError with
    trec_eval's own words when it does not give every measure.
    """
    if run.exists() and run.stat().st_size == 0:  # trec_eval refuses a run that found nothing
        return dict.fromkeys(MEASURES, 0.0)
    means: dict[str, float] = {}
    for depth in dict.fromkeys(wanted.depth for wanted in MEASURES.values()):
        together = [wanted for wanted in MEASURES.values() if wanted.depth == depth]
        means |= _trec_eval(together, depth, run, qrels, java_home)
    return {name: means[wanted.label] for name, wanted in MEASURES.items()}


def _trec_eval(
    wanted: Iterable[Measure], depth: int | None, run: Path, qrels: Path, java_home: Path
) -> dict[str, float]:
    cut = [] if depth is None else ["-M", str(depth)]
    names = [argument for each in wanted for argument in ("-m", each.name)]
    java = [str(java_home / "bin" / "java"), "-cp", str(anserini_jar()), "trec_eval"]
    done = subprocess.run(
        [*java, "-c", *cut, *names, str(qrels), str(run)],
        env=child_environment(java_home),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    means = {row[0]: float(row[2]) for row in rows if len(row) == 3 and row[1] == "all"}
    if any(each.label not in means for each in wanted):  # its exit status is 0 even when it fails
        said = telling_line(done.stderr.splitlines())
        raise EvaluationError(f"trec_eval cannot measure {run}: {said}")
    return means
