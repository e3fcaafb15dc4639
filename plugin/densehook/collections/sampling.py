"""A part of a collection that fits in memory, to measure on or to learn from."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from ..errors import CollectionError
from ..types import DocId, Document, Qrels, QueryId
from .collection import Collection

_SEED = 0


@dataclass(frozen=True)
class Sample:
    """What quality is measured on; ``ids`` and ``documents`` go together."""

    name: str
    ids: Sequence[DocId]
    documents: Sequence[str]
    queries: Mapping[QueryId, str]
    qrels: Qrels
    of: int
    """Documents the whole collection has."""


def sample(collection: Collection, joiner: str, limit: int) -> Sample:
    """At most ``limit`` documents of a collection: the judged ones, and others drawn by chance.

    With fewer documents every system finds more easily: only numbers of one sample compare. The
    same collection and limit give the same sample. Judged documents are kept even beyond the limit.
    The documents are read twice, to count them and to keep some: no more than those are in memory.
    Raises CollectionError when there are none, or one that is kept is there twice.
    """

    def joined(document: Document) -> str:
        fields = (document.fields.get(name) for name in ("title", "text"))
        return joiner.join(field for field in fields if isinstance(field, str) and field)

    return sample_of(collection, joined, limit)


def sample_of(collection: Collection, read: Callable[[Document], str | None], limit: int) -> Sample:
    """As ``sample``, of what is ``read`` of a document; one of which it is None is left out."""
    judged = {document for judgements in collection.qrels.values() for document in judgements}
    there: set[DocId] = set()
    others = 0
    for document in collection.documents():
        if document.id in judged:
            there.add(document.id)
        else:
            others += 1
    if not there and not others:
        raise CollectionError(f"collection {collection.name} has no documents")
    room = max(0, limit - len(there))
    drawn = set(random.Random(_SEED).sample(range(others), min(room, others)))
    texts = dict(_kept(collection, judged, drawn, read))
    return Sample(
        collection.name,
        list(texts),
        list(texts.values()),
        collection.queries,
        collection.qrels,
        len(there) + others,
    )


def _kept(
    collection: Collection,
    judged: Set[DocId],
    drawn: Set[int],
    read: Callable[[Document], str | None],
) -> Iterator[tuple[DocId, str]]:
    """Id and text of the judged documents, and of the others those of these numbers."""
    seen: set[DocId] = set()
    number = itertools.count()
    for document in collection.documents():
        if document.id not in judged and next(number) not in drawn:
            continue
        if document.id in seen:
            raise CollectionError(
                f"collection {collection.name} has document {document.id!r} twice; keep one"
            )
        seen.add(document.id)
        if (text := read(document)) is not None:
            yield document.id, text


def unjudged(name: str, texts: Sequence[str]) -> Sample:
    """Texts to learn from that nobody asks for. Raises CollectionError when there are none."""
    if not texts:
        raise CollectionError(f"{name} has no texts")
    return Sample(name, [str(i) for i in range(len(texts))], texts, {}, {}, len(texts))
