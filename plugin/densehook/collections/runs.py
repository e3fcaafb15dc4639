"""Runs and judgements as TREC files.

A run's line is ``query Q0 document rank score tag``. Scores are written so that reading them gives
the same float; they are the system's own and never bent to force an order. trec_eval looks at the
score alone, as a 32-bit float, and takes equal scores by document id, descending: what it measures
is what these scores say, whatever order among equals a system happened to return.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import CollectionError
from ..files import text_lines
from ..types import DocId, Qrels, QueryId, Ranking, Run, ScoredDoc

_WRITABLE = re.compile(r"[^\s\0]+")
_SCORE = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_COLUMNS = 6


def write_run(path: Path, run: Run, tag: str = "densehook") -> None:
    """Write a run, each ranking in its order; folders on the way are made.

    Raises CollectionError for an id with white space, which the format cannot hold, for a document
    that is twice in one ranking, which trec_eval refuses, and for a score that is no number.
    """
    checked: set[DocId] = set()
    with writing(path) as file:
        for query, ranking in run.items():
            _check(query, ranking, checked)
            file.writelines(
                f"{query} Q0 {document} {rank} {float(score)!r} {tag}\n"
                for rank, (document, score) in enumerate(ranking, start=1)
            )


def read_run(path: Path) -> dict[QueryId, list[ScoredDoc]]:
    """Read a run, in the order of its lines, from a file as it is or gzipped.

    Raises CollectionError with file and line for a line that is not a run's, or that has a document
    of its query a second time.
    """
    run: dict[QueryId, dict[DocId, ScoredDoc]] = {}
    for number, line in text_lines(path):
        query, hit = _parse(line, f"{path}:{number}")
        if run.setdefault(query, {}).setdefault(hit.id, hit) is not hit:
            raise CollectionError(f"{path}:{number}: query {query!r} has document {hit.id!r} twice")
    return {query: list(hits.values()) for query, hits in run.items()}


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Write judgements as trec_eval reads them: ``query 0 document grade``."""
    with writing(path) as file:
        file.writelines(qrels_lines(qrels))


def qrels_lines(qrels: Qrels) -> Iterator[str]:
    """The lines of ``write_qrels``. Raises CollectionError for an id with white space."""
    for query, judged in qrels.items():
        _check_id("query", query)
        for document, grade in judged.items():
            _check_id("document", document)
            yield f"{query} 0 {document} {grade}\n"


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """Open a text file to write, in a folder made for it; a full disk is a CollectionError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise CollectionError(f"{path} cannot be written: {error.strerror or error}") from None


def _check(query: QueryId, ranking: Ranking, checked: set[DocId]) -> None:
    """``checked`` are documents whose ids are known to be writable, and get more."""
    _check_id("query", query)
    seen: set[str] = set()
    for document, score in ranking:
        if document not in checked:
            _check_id("document", document)
            checked.add(document)
        if not math.isfinite(score):
            raise CollectionError(f"query {query!r} gives document {document!r} the score {score}")
        if document in seen:
            raise CollectionError(
                f"query {query!r} has document {document!r} twice in one ranking; ids must be"
                " unique in the collection"
            )
        seen.add(document)


def _check_id(kind: str, id_: str) -> None:
    if not _WRITABLE.fullmatch(id_):
        raise CollectionError(
            f"{kind} id {id_!r} cannot be written to a TREC file, where white space parts the"
            " columns; give it another id"
        )


def _parse(line: str, where: str) -> tuple[QueryId, ScoredDoc]:
    columns = line.split()
    if len(columns) != _COLUMNS:
        raise CollectionError(
            f"{where}: {len(columns)} columns; a run's line is: query Q0 document rank score tag"
        )
    if not _SCORE.fullmatch(columns[4]) or math.isinf(float(columns[4])):
        raise CollectionError(f"{where}: score {columns[4]!r} is not a number")
    return columns[0], ScoredDoc(columns[2], float(columns[4]))
