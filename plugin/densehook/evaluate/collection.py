"""A judged collection: documents, the queries of one split, and what is relevant to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import CollectionError
from ..types import Document, Qrels, QueryId


@dataclass(frozen=True)
class Collection:
    """What an evaluation runs on.

    ``documents()`` streams all documents, anew at each call; ``queries`` are the judged ones only;
    ``qrels`` hold at least one judgement for each of them.
    """

    name: str
    documents: Callable[[], Iterator[Document]]
    queries: Mapping[QueryId, str]
    qrels: Qrels


def judged_queries(
    name: str, queries: Iterable[tuple[QueryId, str]], qrels: Qrels
) -> Mapping[QueryId, str]:
    """Keep the judged queries, in the order they come in.

    Raises CollectionError when nothing is judged, or a judged query has no text.
    """
    if not qrels:
        raise CollectionError(f"collection {name} has no relevance judgements")
    judged = {id_: text for id_, text in queries if id_ in qrels}
    without_text = sorted(id_ for id_ in qrels if not judged.get(id_, "").strip())
    if without_text:
        raise CollectionError(
            f"collection {name} judges {len(without_text)} queries that have no text,"
            f" the first is {without_text[0]!r}; add them to its queries or drop their judgements"
        )
    return judged
