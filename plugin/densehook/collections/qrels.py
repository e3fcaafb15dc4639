"""Reads relevance judgements: BEIR's rows of three columns, and TREC's of four.

    query-id <tab> corpus-id <tab> score      BEIR, Thakur et al. 2021
    query iteration document grade            TREC; the iteration is 0 or Q0 and means nothing

Columns are parted by tabs or, where a row has none, by spaces. The first row may be a header.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import CollectionError
from ..files import text_lines
from ..types import DocId, Qrels, QueryId

_GRADE = re.compile(r"([+-]?\d{1,9})(\.0*)?", re.ASCII)
_ITERATION = re.compile(r"Q0|-?\d+(\.\d+)?", re.ASCII)  # 4.5 is a round of TREC-COVID
_GRADES_NAMES = (
    "score",
    "grade",
    "rel",
    "relevance",
    "relevancy",
    "label",
    "judgment",
    "judgement",
    "rating",
    "qrel",
)
"""What a header calls the last column; a first row that ends otherwise is a judgement."""


class Judgements:
    """Judgements as they come in; ``qrels`` are all so far."""

    def __init__(self) -> None:
        self.qrels: dict[QueryId, dict[DocId, int]] = {}

    def add(self, query: QueryId, document: DocId, grade: int, where: str) -> None:
        """Raises CollectionError where the document had another grade before."""
        known = self.qrels.setdefault(query, {}).setdefault(document, grade)
        if known != grade:
            raise CollectionError(
                f"{where}: query {query!r} and document {document!r} have grade {grade}, a line"
                f" before gave them {known}; keep one"
            )


def read_qrels(path: Path) -> Qrels:
    """Read judgements, from a file as it is or gzipped.

    Raises CollectionError with file and line for a row that is not one.
    """
    judgements = Judgements()
    width = 0
    for number, row in text_lines(path):
        columns = _columns(row)
        if not width and columns[-1].lower() in _GRADES_NAMES:
            width = len(columns)
            continue
        where = f"{path}:{number}"
        width = width or len(columns)
        judgements.add(*_judgement(columns, width, where), where)
    return judgements.qrels


def _columns(row: str) -> list[str]:
    row = row.rstrip()
    return [column.strip() for column in row.split("\t")] if "\t" in row else row.split()


def _judgement(columns: list[str], width: int, where: str) -> tuple[QueryId, DocId, int]:
    if len(columns) not in (3, 4):
        raise CollectionError(
            f"{where}: {len(columns)} columns; a judgement has a query id, a document id and a"
            " grade, or TREC's four columns"
        )
    if len(columns) != width:
        raise CollectionError(f"{where}: {len(columns)} columns, the rows before have {width}")
    query, *iteration, document, grade = columns
    if iteration and not _ITERATION.fullmatch(iteration[0]):
        raise CollectionError(
            f"{where}: the second of four columns is {iteration[0]!r}; in TREC's judgements it is 0"
        )
    if not query or not document:
        raise CollectionError(f"{where}: an id is empty")
    whole = _GRADE.fullmatch(grade)
    if whole is None:
        raise CollectionError(f"{where}: grade {grade!r} is not a whole number")
    return query, document, int(whole[1])
