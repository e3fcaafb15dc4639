"""The vectors an index stores, read back as they are searched, or as they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import ElasticError
from ..hooks import NOTES, Note, VectorField, note_in, value_at
from ..types import DocId
from .paging import pages

_NUMBERS_PER_PAGE = 400_000  # some 8 MB of JSON
_DOCUMENTS_PER_PAGE = 1000


def stored_vectors(
    client: Elasticsearch, index: str, field: VectorField
) -> Iterator[Sequence[tuple[DocId, Any]]]:
    """The documents of an index that have a vector in the field, with it as its source shows it.

    Raises as ``noted_vectors``, and ElasticError for a vector that the source does not keep.
    """
    field.require_whole(index, "a study of its index")
    for hits in _pages(client, index, field, [field.name]):
        yield [(hit["_id"], _kept(hit, field.name)) for hit in hits]


def _kept(hit: Mapping[str, Any], field: str) -> Any:
    vector = value_at(hit.get("_source", {}), field)
    if vector is None:
        raise ElasticError(
            f"the vector of document {hit['_id']!r} in {field!r} cannot be read back; its _source"
            " does not keep it"
        )
    return vector


@dataclass(frozen=True)
class NotedVector:
    """A document's vector as its source shows it, the note of it, and the field's inputs."""

    id: DocId
    vector: Any
    note: Note | None
    fields: Mapping[str, Any]


def noted_vectors(
    client: Elasticsearch, index: str, field: VectorField
) -> Iterator[Sequence[NotedVector]]:
    """The documents of an index that have a vector in the field, as they were written.

    Written documents are found when the index has been refreshed. Raises ElasticError.
    """
    field.require_whole(index, "an export of vectors")
    for hits in _pages(client, index, field, [field.name, NOTES, *field.text.read]):
        yield [_noted(hit, field.name) for hit in hits]


def _pages(
    client: Elasticsearch, index: str, field: VectorField, names: Sequence[str]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    dims = int(field.mapping.get("dims") or _NUMBERS_PER_PAGE // _DOCUMENTS_PER_PAGE)
    size = max(1, min(_DOCUMENTS_PER_PAGE, _NUMBERS_PER_PAGE // dims))
    return pages(client, index, {"exists": {"field": field.name}}, names, size)


def _noted(hit: Mapping[str, Any], field: str) -> NotedVector:
    source = hit.get("_source", {})
    return NotedVector(hit["_id"], value_at(source, field), note_in(source, field), source)
