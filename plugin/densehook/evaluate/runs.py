"""Runs and judgements as TREC files.

A run's line is ``query Q0 document rank score tag``. Scores are written so that reading them gives
the same float; they are the system's own and never bent to force an order. trec_eval looks at the
score alone, as a 32-bit float, and takes equal scores by document id, descending: what it measures
is what these scores say, whatever order among equals a system happened to return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import CollectionError
from ..types import Hit, Qrels, QueryId, Ranking, Run

_WRITABLE = re.compile(r"[^\s\0]+")
_COLUMNS = 6


def write_run(path: Path, run: Run, tag: str = "densehook") -> None:
    """Write a run, each ranking in its order; folders on the way are made.

    Raises CollectionError for an id with white space, which the format cannot hold, and for a
    document that is twice in one ranking, which trec_eval refuses.
    """
    with writing(path) as file:
        for query, ranking in run.items():
            _check(query, ranking)
            for rank, (document, score) in enumerate(ranking, start=1):
                file.write(f"{query} Q0 {document} {rank} {float(score)!r} {tag}\n")


def read_run(path: Path) -> dict[QueryId, list[Hit]]:
    """Read a run, in the order of its lines.

    Raises CollectionError with file and line for a line that is not a run's.
    """
    run: dict[QueryId, list[Hit]] = {}
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                query, hit = _parse(line, f"{path}:{number}")
                run.setdefault(query, []).append(hit)
    except (OSError, UnicodeDecodeError) as error:
        raise CollectionError(f"the run {path} cannot be read: {error}") from None
    return run


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Write judgements as trec_eval reads them: ``query 0 document grade``."""
    with writing(path) as file:
        for query, judged in qrels.items():
            _check_id("query", query)
            for document, grade in judged.items():
                _check_id("document", document)
                file.write(f"{query} 0 {document} {grade}\n")


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """Open a text file to write, in a folder made for it; a full disk is a CollectionError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise CollectionError(f"{path} cannot be written: {error.strerror or error}") from None


def _check(query: QueryId, ranking: Ranking) -> None:
    _check_id("query", query)
    seen: set[str] = set()
    for document, _ in ranking:
        _check_id("document", document)
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


def _parse(line: str, where: str) -> tuple[QueryId, Hit]:
    columns = line.split()
    if len(columns) != _COLUMNS:
        raise CollectionError(
            f"{where}: {len(columns)} columns; a run's line is: query Q0 document rank score tag"
        )
    try:
        return columns[0], Hit(columns[2], float(columns[4]))
    except ValueError:
        raise CollectionError(f"{where}: score {columns[4]!r} is not a number") from None
