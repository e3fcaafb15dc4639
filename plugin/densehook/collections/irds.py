"""Opens a dataset of ir_datasets by its name; the only door to that library.

MacAvaney et al. 2021, "Simplified Data Wrangling with ir_datasets".
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import CollectionError, MissingExtra
from ..types import Document, Qrels
from .collection import Collection, Query, judged_queries
from .qrels import Judgements


def open_ir_dataset(name: str) -> Collection:
    """Open a dataset such as ``beir/scifact/test``; ir_datasets fetches what it does not have.

    A document's fields are those of its record that are text. Raises CollectionError when the name
    is not known, the dataset has no documents, queries or judgements, or it cannot be fetched.
    """
    dataset = _load(name)
    missing = [kind for kind in ("docs", "queries", "qrels") if not dataset.has(kind)]
    if missing:
        raise CollectionError(
            f"ir_datasets' {name} has no {' and no '.join(missing)}; an evaluation needs docs,"
            " queries and qrels, as the dataset of a split has them (beir/scifact/test)"
        )
    qrels = _qrels(name, _reading(name, dataset.qrels_iter))
    queries = (
        Query(query.query_id, _query_text(query), name)
        for query in _reading(name, dataset.queries_iter)
    )
    return Collection(
        name, lambda: _documents(name, dataset), judged_queries(name, queries, qrels), qrels
    )


def documents_of_dataset(name: str) -> Iterator[Document]:
    """The documents of a dataset such as ``beir/scifact`` or ``msmarco-passage``, as a stream.

    Raises CollectionError as ``open_ir_dataset``, but needs neither queries nor judgements.
    """
    dataset = _load(name)
    if not dataset.has("docs"):
        raise CollectionError(f"ir_datasets' {name} has no docs; name the dataset it belongs to")
    return _documents(name, dataset)


def knows_datasets() -> bool:
    """Whether ir_datasets is installed."""
    return importlib.util.find_spec("ir_datasets") is not None


def _load(name: str) -> Any:
    if not knows_datasets():
        raise MissingExtra("ir_datasets", "evaluate")
    import ir_datasets

    try:
        return ir_datasets.load(name)
    except KeyError:
        raise CollectionError(
            f"there is no file and no folder {name}, and ir_datasets knows no dataset of that name;"
            " give a path that is there, or a name from https://ir-datasets.com"
        ) from None


def _reading(name: str, records: Any) -> Iterator[Any]:
    """Pass on what ir_datasets gives; what it raises (a download refused, say) as one line."""
    try:
        yield from records()
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CollectionError(f"ir_datasets cannot read {name}: {reason}") from error


def _documents(name: str, dataset: Any) -> Iterator[Document]:
    for record in _reading(name, dataset.docs_iter):
        fields = {key: text for key, text in record._asdict().items() if isinstance(text, str)}
        yield Document(fields.pop("doc_id"), fields)


def _query_text(query: Any) -> str:
    """Text of a query, the title where it is a TREC topic of several fields; "" without any."""
    named = (getattr(query, field, None) for field in ("text", "title"))
    texts = [text for text in (*named, *query[1:2]) if isinstance(text, str) and text]
    return texts[0] if texts else ""


def _qrels(name: str, records: Iterable[Any]) -> Qrels:
    judgements = Judgements()
    for record in records:
        if int(record.relevance) != record.relevance:
            raise CollectionError(
                f"{name}: query {record.query_id!r} and document {record.doc_id!r} have grade"
                f" {record.relevance}, which is not a whole number"
            )
        judgements.add(record.query_id, record.doc_id, int(record.relevance), name)
    return judgements.qrels
