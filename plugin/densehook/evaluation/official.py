"""The official figure: what the trec_eval that Pyserini runs prints for a run.

``python -m pyserini.eval.trec_eval`` starts this same program from Anserini's jar, after about ten
seconds of imports. Here one JVM has it measure all runs.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import EvaluationError
from .anserini import run_worker
from .measures import parsed

_TOLERANCE = 1.01e-4
"""Two means rounded to four decimals may differ by one in the last."""


class Words(NamedTuple):
    """A measure in trec_eval's words: what ``-m`` takes, and the options that it needs.

    ``-M`` cuts each ranking first, for a measure that has no cut-off of its own; ``-l`` is the
    least grade that counts as relevant.
    """

    name: str
    options: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name as trec_eval prints it."""
        return self.name.replace(".", "_")


def official_means(
    runs: Mapping[str, Path], qrels: Path, measures: Sequence[str], java_home: Path
) -> dict[str, dict[str, float]]:
    """For each run the means over all judged queries, four decimals, of measures trec_eval has.

    With trec_eval's -c a judged query without hits counts 0. Raises EvaluationError with
    trec_eval's own words when it does not give every measure.
    """
    asked = {name: words for name in measures if (words := words_of(name)) is not None}
    # trec_eval refuses a run that found nothing
    made: dict[str, dict[str, float]] = {system: {} for system in runs}
    jobs = [
        (system, options)
        for system, path in runs.items()
        if path.stat().st_size
        for options in dict.fromkeys(words.options for words in asked.values())
    ]
    commands = [_command(asked.values(), options, qrels, runs[name]) for name, options in jobs]
    printed = trec_eval_rows(commands, java_home)
    for (system, options), rows in zip(jobs, printed, strict=True):
        means = {label: value for label, query, value in rows if query == "all"}
        for name, words in asked.items():
            if words.options != options:
                continue
            if words.label not in means:
                raise EvaluationError(
                    f"trec_eval cannot measure {runs[system]}: it does not print {words.label}"
                )
            made[system][name] = float(means[words.label])
    return made


def _command(asked: Iterable[Words], options: Sequence[str], qrels: Path, run: Path) -> list[str]:
    """One call for all measures that need the same options.

    trec_eval heeds only the first ``-m`` of a measure: its cut-offs go together, ``P.5,10``.
    """
    cutoffs: dict[str, list[str]] = {}
    for each in asked:
        if each.options == options:
            name, _, cutoff = each.name.partition(".")
            cutoffs.setdefault(name, []).extend([cutoff] if cutoff else [])
    names = [f"{name}.{','.join(each)}" if each else name for name, each in cutoffs.items()]
    return [
        *options,
        "-c",
        *(word for name in names for word in ("-m", name)),
        str(qrels),
        str(run),
    ]


def require_agreement(
    official: Mapping[str, Mapping[str, float]], computed: Mapping[str, Mapping[str, float]]
) -> None:
    """Raises EvaluationError where trec_eval gives a run another figure than was computed here."""
    for system, figures in official.items():
        for name, figure in figures.items():
            if abs(figure - computed[system][name]) > _TOLERANCE:
                raise EvaluationError(
                    f"trec_eval gives {system} {name} {figure}, pytrec_eval"
                    f" {computed[system][name]}; this is a bug, please report it with the run"
                )


def words_of(measure: str) -> Words | None:
    """What trec_eval calls a measure; None for one that it does not have."""
    found = parsed(measure)
    cutoff, level = found.params.get("cutoff"), found.params.get("rel")
    name = _WORDS.get(str(found.NAME))
    if found.NAME == "NumRel" and level not in (None, 1):
        return None  # trec_eval counts from grade 1 on, whatever -l says
    if found.NAME == "NumRet" and level is not None:
        name = "num_rel_ret"
    if name is None or set(found.params) - {"cutoff", "rel"}:
        return None
    options = () if level is None else ("-l", str(level))
    if name == "recip_rank":
        return Words(name, options if cutoff is None else (*options, "-M", str(cutoff)))
    if cutoff is None:
        return Words(name, options)
    return Words(f"{_CUT.get(name, name)}.{cutoff}", options)


_WORDS: Mapping[str, str] = {
    "nDCG": "ndcg",
    "R": "recall",
    "AP": "map",
    "RR": "recip_rank",
    "P": "P",
    "Success": "success",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "NumQ": "num_q",
    "NumRel": "num_rel",
    "NumRet": "num_ret",
}
"""ir_measures' names and trec_eval's."""

_CUT: Mapping[str, str] = {"ndcg": "ndcg_cut", "map": "map_cut"}
"""What trec_eval calls a measure with a cut-off, where that is not the same."""


def trec_eval_rows(commands: Sequence[Sequence[str]], java_home: Path) -> list[list[list[str]]]:
    """The rows that trec_eval prints for each command, a list of its arguments.

    Raises EvaluationError with its own words when it fails.
    """
    if not commands:
        return []
    with tempfile.TemporaryDirectory(prefix="trec-eval-") as scratch:
        asked, answered = Path(scratch) / "commands.json", Path(scratch) / "rows.json"
        asked.write_text(json.dumps(commands), encoding="utf-8")
        run_worker(["measure", str(asked), str(answered)], java_home)
        rows: list[list[list[str]]] = json.loads(answered.read_text(encoding="utf-8"))
        return rows
