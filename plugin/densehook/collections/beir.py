"""Reads a BEIR folder: corpus.jsonl, queries.jsonl and qrels/test.tsv; each may be .gz.

The layout of Thakur et al. 2021, "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of
Information Retrieval Models".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import CollectionError
from ..types import Document
from .collection import Collection, Query, judged_queries
from .documents import read_documents
from .qrels import read_qrels
from .rows import BadLine


def open_beir(folder: Path, split: str = "test") -> Collection:
    """Open a BEIR folder; queries and judgements are read now, documents when asked for.

    Raises CollectionError with file and line of what cannot be read.
    """
    return _opened(folder, split, _file(folder, "corpus.jsonl"))


def open_judgements(folder: Path, split: str = "test") -> Collection:
    """As ``open_beir``, for a folder that may be without corpus.jsonl: its index has that."""
    try:
        corpus = _file(folder, "corpus.jsonl")
    except CollectionError:
        corpus = None
    return _opened(folder, split, corpus)


def is_beir(folder: Path) -> bool:
    """Whether a folder has queries and judgements in BEIR's own files."""
    try:
        _file(folder, "queries.jsonl")
    except CollectionError:
        return False
    return next(folder.glob("qrels/*.tsv*"), None) is not None


def _opened(folder: Path, split: str, corpus: Path | None) -> Collection:
    name = folder.resolve().name
    qrels = read_qrels(_judgements(folder, split))
    queries = judged_queries(name, read_queries(_file(folder, "queries.jsonl")), qrels)
    if corpus is None:
        return Collection(name, lambda: _no_documents(folder), queries, qrels, has_documents=False)
    return Collection(name, lambda: _good_documents(corpus), queries, qrels)


def _no_documents(folder: Path) -> Iterator[Document]:
    raise CollectionError(
        f"{folder} has no corpus.jsonl, which this needs; put all documents of the index there, as"
        " JSON with _id, one on a line"
    )


def _judgements(folder: Path, split: str) -> Path:
    try:
        return _file(folder, f"qrels/{split}.tsv")
    except CollectionError:
        there = sorted({file.name.split(".")[0] for file in folder.glob("qrels/*.tsv*")})
        if not there:
            raise
        raise CollectionError(
            f"{folder} has no split {split!r}; it has {', '.join(there)}: name one"
        ) from None


def _file(folder: Path, name: str) -> Path:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    raise CollectionError(f"{folder} is no BEIR folder: it has no {name}")


def read_queries(path: Path) -> Iterator[Query]:
    """The queries of a file of BEIR's. Raises CollectionError with file and line."""
    for query in _good_documents(path):  # a query's line is a document's: an id and fields
        text = query.fields.get("text")
        yield Query(query.id, text if isinstance(text, str) else "", query.origin)


def _good_documents(path: Path) -> Iterator[Document]:
    empty = True
    for document in read_documents(path):
        if isinstance(document, BadLine):
            raise CollectionError(f"{document}; an evaluation needs every line")
        empty = False
        yield document
    if empty:
        raise CollectionError(f"{path} is empty; get it again")
