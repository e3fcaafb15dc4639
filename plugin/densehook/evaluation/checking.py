"""What an evaluation looks at before the work: names, runs, its folder, the index's documents."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from ..collections import Collection
from ..errors import EvaluationError
from ..types import Qrels, Run
from .result import (
    ANN,
    ANN_MARKDOWN,
    ANN_REPORT,
    LATEX,
    MARKDOWN,
    METRICS,
    QUERIES,
    REPORT,
)
from .systems import Searcher

_WRITTEN = (METRICS, QUERIES, REPORT, MARKDOWN, LATEX, ANN, ANN_REPORT, ANN_MARKDOWN)
_OURS = (*_WRITTEN, "qrels.trec", "runs", "lucene")
"""What an evaluation's folder may hold before its metrics are there."""

_NAME = re.compile(r"\w[\w.+@-]{0,99}")
"""A run's name is that of a file."""
_SYSTEM = re.compile(r"\w[\w.+@,()-]{0,250}")
"""So is a system's, which may be that of a fusion with its lists."""


def judged_part(name: str, run: Run, qrels: Qrels) -> Run:
    """The run's judged queries. Raises EvaluationError when there are none."""
    found = {query: ranking for query, ranking in run.items() if query in qrels}
    if not found:
        raise EvaluationError(
            f"run {name!r} has no query that is judged: it has {_first(run)}, judged are"
            f" {_first(qrels)}"
        )
    known = {id_ for judged in qrels.values() for id_ in judged}
    ids = {hit.id for ranking in found.values() for hit in ranking}
    if ids and ids.isdisjoint(known):
        raise EvaluationError(
            f"run {name!r} has no document that is judged: it has {_first(sorted(ids))}, judged are"
            f" {_first(sorted(known))}"
        )
    return found


def _first(ids: Iterable[str]) -> str:
    """The first three."""
    shown = list(ids)
    return ", ".join(map(repr, shown[:3])) + (", …" if len(shown) > 3 else "")


def check_names(
    systems: Sequence[str],
    runs: Iterable[str],
    baseline: str | None,
    taken: Container[str] = (),
) -> None:
    """Raises EvaluationError for names that clash or cannot be files, and a baseline not there.

    No run may have a name that is ``taken``.
    """
    names = list(systems)
    for name in runs:
        if not _NAME.fullmatch(name):
            raise EvaluationError(
                f"a run cannot be called {name!r}; give it up to 100 letters, digits and -._+@"
            )
        if name in names or name in taken:
            raise EvaluationError(f"run {name!r} has the name of a system; name it otherwise")
        names.append(name)
    if not names:
        raise EvaluationError("no run to measure")
    if baseline is not None and baseline not in names:
        raise EvaluationError(f"baseline {baseline!r} is not measured; there is {', '.join(names)}")


def require_folder(output: Path) -> None:
    """Raises EvaluationError for a folder of something else, which nothing is to be added to."""
    try:
        there = sorted(path.name for path in output.iterdir()) if output.exists() else []
    except OSError as error:
        raise EvaluationError(f"{output} cannot be used: {error.strerror or error}") from None
    if _systems_of(output / METRICS) is not None:
        return
    strange = [name for name in there if name not in _OURS]
    if METRICS in there:
        strange.append(f"a {METRICS} of another kind")
    if strange:
        raise EvaluationError(
            f"{output} holds something else ({_first(strange)}); name another folder"
        )


def documents_lacking(collection: Collection, searcher: Searcher) -> list[str]:
    """What to say of relevant documents that the index has not.

    Raises EvaluationError when it has none of them: it is of another collection.
    """
    relevant = sorted(
        {id_ for judged in collection.qrels.values() for id_, grade in judged.items() if grade > 0}
    )
    lacking = searcher.lacking(relevant)
    if relevant and len(lacking) == len(relevant):
        raise EvaluationError(
            f"the index has none of the documents that are relevant in {collection.name}"
            f" ({_first(relevant)}); it holds another collection, or its ids are others"
        )
    if not lacking:
        return []
    return [
        f"{len(lacking):,} of {len(relevant):,} relevant documents are not in the index"
        f" ({_first(lacking)}): every figure is lower than it should be"
    ]


def nothing_relevant(qrels: Qrels) -> list[str]:
    """What to say of judgements of which none says relevant."""
    highest = max((grade for judged in qrels.values() for grade in judged.values()), default=0)
    if highest > 0:
        return []
    return [
        f"nothing is judged relevant (the highest grade is {highest}, relevant is 1 or more): every"
        " figure is 0"
    ]


def clear_away(output: Path, runs: Iterable[str]) -> None:
    """Takes away what an evaluation before left here: its runs, figures and report.

    What is written then is of one evaluation, or, where that fails, of none.
    """
    before = _systems_of(output / METRICS) or ()
    stale = [output / "runs" / f"{name}.trec" for name in before if name not in runs]
    try:
        for path in (*stale, *(output / name for name in _WRITTEN)):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EvaluationError(f"{output} cannot be used: {error.strerror or error}") from None


def _systems_of(path: Path) -> list[str] | None:
    """The systems of a metrics.json, those whose names could be files; None when it is not ours."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not {"collection", "queries", "systems"} <= set(found):
            return None
        return [name for name in found["systems"] if _SYSTEM.fullmatch(name)]
    except (OSError, ValueError, TypeError, AttributeError):
        return None
