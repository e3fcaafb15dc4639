"""Reads a BEIR folder: corpus.jsonl, queries.jsonl (either may be .gz) and qrels/test.tsv.

The layout of Thakur et al. 2021, "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of
Information Retrieval Models".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..elastic.documents import BadLine, read_documents
from ..errors import CollectionError
from ..types import DocId, Document, Qrels, QueryId
from .collection import Collection, judged_queries


def open_beir(folder: Path, split: str = "test") -> Collection:
    """Open a BEIR folder; queries and judgements are read now, documents when asked for.

    Raises CollectionError with file and line of what cannot be read.
    """
    name = folder.resolve().name
    qrels = read_qrels_tsv(folder / "qrels" / f"{split}.tsv")
    queries = judged_queries(name, _queries(_jsonl(folder, "queries")), qrels)
    corpus = _jsonl(folder, "corpus")
    return Collection(name, lambda: _good_documents(corpus), queries, qrels)


def read_qrels_tsv(path: Path) -> Qrels:
    """Read judgements: a header, then tab-separated query id, document id and grade.

    Raises CollectionError with file and line for a row that is not one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CollectionError(f"the judgements {path} cannot be read: {error}") from None
    qrels: dict[QueryId, dict[DocId, int]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (number == 1 and _is_header(line)):
            continue
        query, document, grade = _judgement(line, f"{path}:{number}")
        known = qrels.setdefault(query, {}).setdefault(document, grade)
        if known != grade:
            raise CollectionError(
                f"{path}:{number}: query {query!r} and document {document!r} have grade {grade},"
                f" a line before gave them {known}; keep one"
            )
    return qrels


def _is_header(line: str) -> bool:
    return not _is_grade(line.split("\t")[-1])


def _judgement(line: str, where: str) -> tuple[QueryId, DocId, int]:
    columns = line.split("\t")
    if len(columns) != 3:
        raise CollectionError(
            f"{where}: {len(columns)} tab-separated columns; a judgement has a query id, a document"
            " id and a grade"
        )
    query, document, grade = columns
    if not _is_grade(grade):
        raise CollectionError(f"{where}: grade {grade!r} is not a whole number")
    return query, document, int(grade)


def _is_grade(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _jsonl(folder: Path, stem: str) -> Path:
    for name in (f"{stem}.jsonl", f"{stem}.jsonl.gz"):
        if (folder / name).is_file():
            return folder / name
    raise CollectionError(f"{folder} is no BEIR folder: it has no {stem}.jsonl")


def _queries(path: Path) -> Iterator[tuple[QueryId, str]]:
    seen: set[QueryId] = set()
    for query in _good_documents(path):  # a query's line is a document's: an id and fields
        text = query.fields.get("text")
        if not isinstance(text, str):
            raise CollectionError(f"{query.origin}: query {query.id!r} has no text")
        if query.id in seen:
            raise CollectionError(f"{query.origin}: query {query.id!r} is there a second time")
        seen.add(query.id)
        yield query.id, text


def _good_documents(path: Path) -> Iterator[Document]:
    for document in read_documents(path):
        if isinstance(document, BadLine):
            raise CollectionError(f"{document}; an evaluation needs every line")
        yield document
