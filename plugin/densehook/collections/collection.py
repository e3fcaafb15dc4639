"""A judged collection: documents, the queries of one split, and what is relevant to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..bundle import is_blank
from ..errors import CollectionError
from ..types import Document, Qrels, QueryId


@dataclass(frozen=True)
class Collection:
    """What an evaluation runs on.

    ``documents()`` streams all documents, anew at each call; ``queries`` are the judged ones only;
    ``qrels`` hold at least one judgement for each of them. ``kinds`` says what kind each query is
    of, where that is known: then each kind is measured by itself too. Without ``has_documents``
    only an index knows the documents, and ``documents()`` raises CollectionError. With
    ``kinds_alike`` the mean of the kinds is of interest, as where they are languages.
    """

    name: str
    documents: Callable[[], Iterator[Document]]
    queries: Mapping[QueryId, str]
    qrels: Qrels
    kinds: Mapping[QueryId, str] = field(default_factory=dict)
    has_documents: bool = True
    kinds_alike: bool = False


def judgements_alone(name: str, qrels: Qrels) -> Collection:
    """A collection of which nothing is known but what is relevant."""

    def documents() -> Iterator[Document]:
        raise CollectionError(f"of {name} there are judgements alone, and no documents")

    return Collection(name, documents, {}, qrels, has_documents=False)


@dataclass(frozen=True)
class Query:
    """A query as it was read, and where; without text it is of use only where nobody judged it."""

    id: QueryId
    text: str
    origin: str


def judged_queries(name: str, queries: Iterable[Query], qrels: Qrels) -> Mapping[QueryId, str]:
    """Keep the judged queries, in the order they come in; what the others are does not matter.

    Raises CollectionError when nothing is judged, or a judged query is there twice or has no text.
    """
    if not qrels:
        raise CollectionError(f"collection {name} has no relevance judgements")
    judged: dict[QueryId, str] = {}
    without_text: dict[QueryId, str] = dict.fromkeys(sorted(qrels), "it is not among the queries")
    for query in queries:
        if query.id not in qrels:
            continue
        if query.id in judged:
            raise CollectionError(f"{query.origin}: query {query.id!r} is there a second time")
        judged[query.id] = query.text
        without_text[query.id] = query.origin
        if not is_blank(query.text):
            del without_text[query.id]
    if without_text:
        first, where = next(iter(without_text.items()))
        raise CollectionError(
            f"collection {name} judges {len(without_text)} queries that have no text, the first is"
            f" {first!r} ({where}); add them to its queries or drop their judgements"
        )
    return judged
