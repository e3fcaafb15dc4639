"""The vectors an index stores, read back as they are searched, or as they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import ElasticError
from ..hooks import NOTES, Note, VectorField, note_in, value_at
from ..types import DocId
from .connect import elastic_errors
from .paging import pages

_AT_ONCE = 500
_KEEP_ALIVE = "5m"
_NUMBERS_PER_PAGE = 400_000  # some 8 MB of JSON
_DOCUMENTS_PER_PAGE = 1000


def stored_vectors(
    client: Elasticsearch, index: str, field: str
) -> Iterator[list[tuple[DocId, Sequence[float]]]]:
    """Every document that has a vector in the field, with it, some hundred at a time.

    What is written meanwhile is not seen. Raises IndexNotFound, ElasticError where the field's
    vectors cannot be read.
    """
    with elastic_errors(client):
        opened = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
    try:
        after: list[Any] | None = None
        while True:
            with elastic_errors(client):
                answer = client.search(
                    pit={"id": opened, "keep_alive": _KEEP_ALIVE},
                    query={"exists": {"field": field}},
                    # by ``fields``, as from 9.2 on ``_source`` shows no vectors
                    fields=[{"field": field}],
                    source=False,
                    size=_AT_ONCE,
                    sort=[{"_shard_doc": "asc"}],
                    search_after=after,
                    track_total_hits=False,
                )
            hits = answer["hits"]["hits"]
            if not hits:
                return
            yield [(hit["_id"], _vector_of(hit, field)) for hit in hits]
            after = hits[-1]["sort"]
    finally:
        with elastic_errors(client):
            client.close_point_in_time(id=opened)


def _vector_of(hit: dict[str, Any], field: str) -> Sequence[float]:
    vector: Sequence[float] | None = hit.get("fields", {}).get(field)
    if vector is None:
        raise ElasticError(
            f"the vector of document {hit['_id']!r} in {field!r} cannot be read back; its"
            " _source does not keep it"
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
    dims = int(field.mapping.get("dims") or _NUMBERS_PER_PAGE // _DOCUMENTS_PER_PAGE)
    size = max(1, min(_DOCUMENTS_PER_PAGE, _NUMBERS_PER_PAGE // dims))
    has_vector = {"exists": {"field": field.name}}
    for hits in pages(client, index, has_vector, [field.name, NOTES, *field.inputs], size):
        yield [_noted(hit, field.name) for hit in hits]


def _noted(hit: Mapping[str, Any], field: str) -> NotedVector:
    source = hit["_source"]
    return NotedVector(hit["_id"], value_at(source, field), note_in(source, field), source)
