"""The page: one file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..ann import Study
from ..collections.runs import writing
from ..evaluation import Difference, Evaluation
from ..evaluation.gains import Gains, gains_of
from ..evaluation.result import LATEX, MARKDOWN, REPORT
from ..evaluation.significance import RESAMPLES, SEED
from ..types import DocId, QueryId
from .rendering import rendered
from .study import shown_study
from .svg import bars, stacked, waterfall
from .tables import latex_table, legend, mark, markdown_table
from .words import sentence, verdict

TextsOf = Callable[[Sequence[DocId]], Mapping[DocId, str]]
"""Gives what to show of documents, where that is known."""

_QUERIES_SHOWN = 5
"""Of those a system wins most, and of those it loses most."""
_HITS_SHOWN = 3
_LONGEST_TEXT = 160


@dataclass(frozen=True)
class Shown:
    """A hit of a query, as far as it is known, and its grade, None where nobody judged it."""

    id: DocId
    text: str
    grade: int | None


@dataclass(frozen=True)
class Won:
    """A query that a system wins or loses, and what both sides found first."""

    query: QueryId
    text: str
    baseline: float
    system: float
    baseline_hits: Sequence[Shown]
    system_hits: Sequence[Shown]


@dataclass(frozen=True)
class Compared:
    """A system beside the baseline, by the first measure."""

    difference: Difference
    sentence: str
    plot: str
    won: Sequence[Won]
    lost: Sequence[Won]


@dataclass(frozen=True)
class Gained:
    """Where a fused list has its relevant hits from."""

    gains: Gains
    plot: str


def no_texts(_ids: Sequence[DocId]) -> Mapping[DocId, str]:
    """Gives nothing to show of documents but their ids."""
    return {}


def write_report(
    evaluation: Evaluation, texts_of: TextsOf = no_texts, study: Study | None = None
) -> Path:
    """Writes report.html, report.md and report.tex into the evaluation's folder; gives the page.

    ``texts_of`` is asked once, for the documents shown; a ``study`` of approximate search becomes a
    part of the page. Raises CollectionError for a folder that cannot be written, and what
    ``texts_of`` raises.
    """
    shown = None if study is None else shown_study(study)
    page = rendered("report.html.jinja", study=shown, **_contents(evaluation, texts_of))
    for name, text in (
        (REPORT, page),
        (MARKDOWN, markdown_table(evaluation)),
        (LATEX, latex_table(evaluation)),
    ):
        with writing(evaluation.output / name) as file:
            file.write(text)
    return evaluation.output / REPORT


def _contents(evaluation: Evaluation, texts_of: TextsOf) -> dict[str, object]:
    measure = evaluation.measures[0]
    spans = {system: each[measure] for system, each in evaluation.intervals.items()}
    return {
        "evaluation": evaluation,
        "measure": measure,
        "verdict": verdict(evaluation),
        "bars": bars(spans, f"{measure} of each system"),
        "mark": mark,
        "legend": legend(evaluation),
        "best": {m: max(s[m] for s in evaluation.systems.values()) for m in evaluation.measures},
        "compared": _compared(evaluation, measure, texts_of),
        "seed": SEED,
        "resamples": RESAMPLES,
        "gained": [
            Gained(gains, stacked(gains.counts, f"relevant hits of {gains.system}"))
            for gains in gains_of(evaluation)
        ],
    }


def _compared(evaluation: Evaluation, measure: str, texts_of: TextsOf) -> list[Compared]:
    found = [each for each in evaluation.differences if each.measure == measure]
    chosen = {each.system: _extremes(evaluation, each.system, measure) for each in found}
    shown = {
        id_
        for system, queries in chosen.items()
        for query in (*queries[0], *queries[1])
        for name in (system, evaluation.baseline or "")
        for id_ in _first(evaluation, name, query)
    }
    texts = texts_of(sorted(shown)) if shown else {}
    base = evaluation.values[evaluation.baseline or ""]
    compared = []
    for each in found:
        values = evaluation.values[each.system]
        apart = [values[query][measure] - base[query][measure] for query in values]
        won, lost = (
            [_won(evaluation, each.system, measure, query, texts) for query in queries]
            for queries in chosen[each.system]
        )
        said = sentence(each, evaluation.baseline or "")
        plot = waterfall(apart, f"{each.system} less {evaluation.baseline}, query by query")
        compared.append(Compared(each, said, plot, won, lost))
    return compared


def _extremes(
    evaluation: Evaluation, system: str, measure: str
) -> tuple[list[QueryId], list[QueryId]]:
    """The queries that a system wins most, and those it loses most, the most first."""
    values, base = evaluation.values[system], evaluation.values[evaluation.baseline or ""]
    apart = {query: values[query][measure] - base[query][measure] for query in values}
    order = sorted(apart, key=apart.__getitem__)
    lost = [query for query in order[:_QUERIES_SHOWN] if apart[query] < 0]
    won = [query for query in reversed(order[-_QUERIES_SHOWN:]) if apart[query] > 0]
    return won, lost


def _won(
    evaluation: Evaluation,
    system: str,
    measure: str,
    query: QueryId,
    texts: Mapping[DocId, str],
) -> Won:
    baseline = evaluation.baseline or ""
    judged = evaluation.qrels.get(query, {})
    hits = {
        name: [
            Shown(id_, _shortened(texts.get(id_, "")), judged.get(id_))
            for id_ in _first(evaluation, name, query)
        ]
        for name in (baseline, system)
    }
    return Won(
        query,
        evaluation.texts.get(query, ""),
        evaluation.values[baseline][query][measure],
        evaluation.values[system][query][measure],
        hits[baseline],
        hits[system],
    )


def _first(evaluation: Evaluation, system: str, query: QueryId) -> list[DocId]:
    return [hit.id for hit in evaluation.runs[system].get(query, ())[:_HITS_SHOWN]]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
