"""A study of approximate search: which index to take, in a sentence, a plot and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from ..ann import Built, Point, Study, check_kinds
from ..collections.runs import writing
from ..evaluation.result import ANN, ANN_MARKDOWN, ANN_REPORT
from ..hooks.kinds.dense import INDEX_TYPES
from .rendering import rendered
from .svg import Dot, dot, frontier

_KINDS = check_kinds(INDEX_TYPES)
"""In the order of their colours, which stay the same where one is not tried."""


@dataclass(frozen=True)
class ShownKind:
    """A kind of index, and its mark in the plot."""

    name: str
    mark: str


@dataclass(frozen=True)
class ShownIndex:
    """What an index takes, in words."""

    kind: str
    memory: str
    disk: str
    seconds: str
    heap: str


@dataclass(frozen=True)
class ShownStudy:
    """What a page shows of a study."""

    collection: str
    sentence: str
    plot: str
    kinds: Sequence[ShownKind]
    indices: Sequence[ShownIndex]
    skipped: Mapping[str, str]
    points: Sequence[Point]
    callers: Sequence[int]
    measure: str
    documents: int
    dims: int
    queries: int


def shown_study(study: Study) -> ShownStudy:
    """What a page shows."""
    front = [(point.alone.p50, point.recall_10) for point in study.frontier]
    dots = [
        Dot(point.alone.p50, point.recall_10, _place(point.way.kind), _told(point, study))
        for point in study.points
    ]
    return ShownStudy(
        study.collection,
        recommendation(study),
        frontier(dots, front, "milliseconds, the half of all searches", "recall@10"),
        [ShownKind(kind, dot(0, 0, _place(kind))) for kind in study.built],
        [_shown_index(each) for each in study.built.values()],
        study.skipped,
        study.points,
        [each.callers for each in study.exact.latencies],
        study.measure,
        study.documents,
        study.dims,
        study.queries,
    )


def write_study(study: Study, output: Path, about: Mapping[str, str]) -> Path:
    """Writes ann.html, ann.md and ann.json into the folder; gives the page. CollectionError."""
    page = rendered("ann.html.jinja", study=shown_study(study), about=about)
    for name, text in (
        (ANN_REPORT, page),
        (ANN_MARKDOWN, study_table(study)),
        (ANN, json.dumps({**study.as_json(), "about": dict(about)}, indent=2) + "\n"),
    ):
        with writing(output / name) as file:
            file.write(text)
    return output / ANN_REPORT


def recommendation(study: Study) -> str:
    """Which way to take, and what it costs and brings beside the exact search."""
    best, exact = study.recommended, study.exact
    if best is exact:
        return (
            f"Take flat, the exact search: over {study.documents:,} vectors nothing as good is"
            " noticeably quicker, or as quick in less memory. Half of its searches take"
            f" {exact.alone.p50:.1f} ms or less, 99 of 100 {exact.alone.p99:.1f} ms."
        )
    return (
        f"Take {best.way}: it finds {best.recall_10:.1%} of the exact search's first ten, with"
        f" {study.measure} {best.quality:.4f} against {exact.quality:.4f}. Half of its searches"
        f" take {best.alone.p50:.1f} ms or less, 99 of 100 {best.alone.p99:.1f} ms, in"
        f" {_memory(study.built[best.way.kind])} of memory; the exact search takes"
        f" {exact.alone.p50:.1f} and {exact.alone.p99:.1f} ms in"
        f" {_memory(study.built[exact.way.kind])}."
    )


def study_table(study: Study) -> str:
    """The sentence and a table of GitHub's Markdown; what is recommended is bold."""
    times = [f"p50, {each.callers} callers | p99" for each in study.exact.latencies]
    names = [
        f"{study.documents:,} vectors of {study.dims} dimensions",
        "recall@10 | recall@100",
        study.measure,
        *times,
        "memory | disk | built in",
    ]
    columns = " | ".join(names)
    lines = [
        recommendation(study),
        "",
        f"| {columns} |".replace(" 1 callers", " ms"),
        "| --- |" + " ---: |" * columns.count("|"),
    ]
    for point in study.points:
        index = _shown_index(study.built[point.way.kind])
        name = f"**{point.way}**" if point is study.recommended else str(point.way)
        deep = "" if point.recall_100 is None else f"{point.recall_100:.4f}"
        took = " | ".join(f"{each.p50:.1f} | {each.p99:.1f}" for each in point.latencies)
        lines.append(
            f"| {name} | {point.recall_10:.4f} | {deep} | {point.quality:.4f} | {took}"
            f" | {index.memory} | {index.disk} | {index.seconds} |"
        )
    return "\n".join(lines) + "\n"


def _told(point: Point, study: Study) -> str:
    return (
        f"{point.way}: recall@10 {point.recall_10:.4f}, {study.measure} {point.quality:.4f},"
        f" {point.alone.p50:.2f} ms"
    )


def _place(kind: str) -> int:
    return _KINDS.index(kind)


def _shown_index(built: Built) -> ShownIndex:
    return ShownIndex(
        built.kind,
        _memory(built),
        decimal(built.disk),
        f"{built.seconds:.1f} s",
        "unknown" if built.heap is None else decimal(built.heap),
    )


def _memory(built: Built) -> str:
    return decimal(built.memory)
