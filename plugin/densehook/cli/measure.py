"""`densehook measure`: runs of any program, measured and compared; no cluster is needed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .about import about
from .console import note, out
from .progress import bars
from .shown import show_evaluation

if TYPE_CHECKING:
    from ..evaluation import Evaluation, Kept
    from ..types import Run

_SEPARATOR = re.compile(r"\s*,\s*(?![^()]*\))")
"""Commas between names, not those within RBP(p=0.8,rel=1)."""

_ENDING = re.compile(r"(?<=.)(\.(trec|run|res|results?|out|txt|tsv))?(\.gz)?$", re.IGNORECASE)
"""How files of runs end; what else is behind a dot belongs to the name, as in run.v1.2."""

Baseline = Annotated[
    str | None,
    typer.Option("--baseline", help="What the others are compared with; by default the first."),
]
MeasureNames = Annotated[
    str | None,
    typer.Option(
        "--measures",
        help="Measures by ir_measures' names, separated by commas; by default"
        " nDCG@10,R@100,AP@100,RR@10. The first decides.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", help="Folder for runs/NAME.trec, metrics.json and queries.jsonl."),
]
Runs = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        help="TREC run to measure beside, as FILE or NAME=FILE; may be given several times.",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against", help="metrics.json of before: exit code 1 where a system is worse now."
    ),
]
Tolerance = Annotated[
    float, typer.Option("--tolerance", min=0, help="How much worse is still not worse.")
]


def measure(
    qrels: Annotated[
        Path, typer.Argument(help="Judgements: TREC's four columns, or BEIR's three.")
    ],
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="TREC runs, each as FILE or NAME=FILE.")
    ],
    baseline: Baseline = None,
    measures: MeasureNames = None,
    output: Output = Path("measured"),
    against: Against = None,
    tolerance: Tolerance = 0.0,
) -> None:
    """Measure TREC runs with Pyserini's trec_eval, and compare them with a baseline."""
    from ..collections import judgements_alone, read_qrels
    from ..evaluation import measure_runs
    from ..report import write_report

    _require_outside(output, [qrels, *(_name_and_file(run)[1] for run in runs)])
    kept = read_kept(against)
    given = read_runs(runs)
    judged = read_qrels(qrels)
    with bars() as show:
        evaluation = measure_runs(
            judgements_alone(qrels.name, judged),
            given,
            output,
            measures=measures_of(measures),
            baseline=_named(baseline, runs),
            about=about(sys.argv[1:]),
            progress=show,
        )
    page = write_report(evaluation)
    show_evaluation(evaluation)
    out.print(f"{evaluation.queries} queries; runs and metrics.json in {output}, to read: {page}")
    require_no_drop(evaluation, kept, tolerance)


def read_runs(given: Sequence[str]) -> Mapping[str, Run]:
    """Runs by their names, those of their files where no other is given.

    Raises BadParameter for two of one name, CollectionError for what is no run.
    """
    from ..collections import read_run

    made: dict[str, Run] = {}
    for text in given:
        name, path = _name_and_file(text)
        if name in made:
            raise typer.BadParameter(
                f"two runs are called {name!r}; name one, as NAME={path}", param_hint="RUN"
            )
        made[name] = read_run(path)
    return made


def measures_of(given: str | None) -> Sequence[str]:
    """The measures that are named, or the usual ones."""
    from ..evaluation import DEFAULT_MEASURES, check_measures

    return DEFAULT_MEASURES if given is None else check_measures(_SEPARATOR.split(given.strip()))


def separated(text: str) -> list[str]:
    """Names between commas, each with what is in its brackets."""
    return [name for name in _SEPARATOR.split(text.strip()) if name]


def read_kept(against: Path | None) -> Kept | None:
    """What was kept, read before anything is written: it may lie where the output goes."""
    from ..evaluation import kept_at

    return None if against is None else kept_at(against)


def require_no_drop(evaluation: Evaluation, kept: Kept | None, tolerance: float) -> None:
    """Ends with 1 where a system is worse than in an evaluation that was kept."""
    if kept is None:
        return
    from ..evaluation import drops

    found = drops(evaluation, kept, tolerance)
    for each in found:
        note(str(each))
    if found:
        raise typer.Exit(1)
    out.print(f"nothing is worse than in {kept.path}")


def _require_outside(output: Path, files: Iterable[Path]) -> None:
    """Raises BadParameter where a file that is read would be written over."""
    for path in files:
        if output.resolve() in path.resolve().parents:
            raise typer.BadParameter(
                f"{path} lies in {output}, which is written to; name another folder",
                param_hint="--output",
            )


def _name_and_file(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if equals and name and not Path(text).exists():
        return name, Path(path)
    return _ENDING.sub("", Path(text).name), Path(text)


def _named(baseline: str | None, runs: Sequence[str]) -> str | None:
    """The baseline's name; it may be called by its file too."""
    named = dict(map(_name_and_file, runs))
    by_file = {str(path): name for name, path in named.items()}
    return baseline if baseline is None or baseline in named else by_file.get(baseline, baseline)
