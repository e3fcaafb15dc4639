"""One figure for one run: what ranx and ir_measures say of runs that are written here.

    python -m benchmarks.readers [FOLDER]

FOLDER is what `densehook evaluate` or `densehook measure` wrote. Without it runs are made by a seed
in which most scores are equal, of queries of which some found nothing. Their means, which are those
of Pyserini's trec_eval, are held to ranx's, in an environment of its own that is made with uv under
$DENSEHOOK_BENCHMARK_HOME, and to ir_measures'.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import ir_measures

from densehook.collections import judgements_alone
from densehook.evaluation import DEFAULT_MEASURES, measure_runs
from densehook.types import Qrels, Run, ScoredDoc

from ..environments import environment
from ..report import Result, at_most, parser, show
from . import ranx_worker

HOME = Path(
    os.environ.get("DENSEHOOK_BENCHMARK_HOME", Path.home() / ".cache" / "densehook" / "readers")
)
RANX = "ranx==0.3.21"
QUERIES = 100
SCORES = {"few": (0.1, 0.2, 0.3), "one": (1.0,), "near": tuple(1 + n * 1e-9 for n in range(9))}
"""The scores of each run that is made; those of the last are one as 32-bit floats."""

BAR = 5.1e-5
"""Figures with four decimals may be so far from the number they were rounded from."""

Figures = Mapping[str, Mapping[str, float]]
"""For each run its measures."""


def made() -> tuple[dict[str, Run], Qrels]:
    """Runs with ties, and judgements."""
    chance = random.Random(7)
    ids = [f"d{n}" for n in range(200)] + ["Z", "a", "ä", "猫", "D2", "007"]
    qrels = {
        f"q{n}": {id_: chance.choice((0, 0, 1, 2, 3)) for id_ in chance.sample(ids, 20)}
        for n in range(QUERIES)
    }
    runs = {
        name: {
            query: [ScoredDoc(id_, chance.choice(scores)) for id_ in chance.sample(ids, 150)]
            for query in qrels
            if chance.random() < 0.9
        }
        for name, scores in SCORES.items()
    }
    return dict(runs), qrels


def by_ranx(qrels: Path, runs: Sequence[Path]) -> Figures:
    """What ranx says."""
    python = environment(HOME / "ranx", [RANX])
    command = [str(python), ranx_worker.__file__, str(qrels), *map(str, runs)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {run.stem: json.loads(line) for run, line in zip(runs, said.splitlines(), strict=True)}


def by_ir_measures(qrels: Path, runs: Sequence[Path]) -> Figures:
    """What ir_measures says, by itself."""
    measures = {name: ir_measures.parse_measure(name) for name in DEFAULT_MEASURES}
    judged = list(ir_measures.read_trec_qrels(str(qrels)))
    found: dict[str, dict[str, float]] = {}
    for run in runs:
        rows = ir_measures.read_trec_run(str(run))
        values = ir_measures.calc_aggregate(measures.values(), judged, rows)
        found[run.stem] = {name: float(values[each]) for name, each in measures.items()}
    return found


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("folder", nargs="?", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "report"
        if given.folder is None:
            runs, qrels = made()
            measure_runs(judgements_alone("made", qrels), runs, folder)
        ours = json.loads((folder / "metrics.json").read_text())["systems"]
        files = [folder / "runs" / f"{name}.trec" for name in ours]
        results: list[Result] = []
        for reader, read in {"ranx": by_ranx, "ir_measures": by_ir_measures}.items():
            theirs = read(folder / "qrels.trec", files)
            for name in (
                each for each in DEFAULT_MEASURES if all(each in o for o in ours.values())
            ):
                apart = max(abs(theirs[run][name] - ours[run][name]) for run in ours)
                results.append(at_most(f"{name}, {reader} from trec_eval, at most", apart, BAR))
    return show(f"{len(ours)} runs, read by others", results, given.json)


if __name__ == "__main__":
    sys.exit(main())
