"""Creating an index for an encoder, and reading back what an index says of its vectors."""

from __future__ import annotations

from collections.abc import Sequence

from elasticsearch import BadRequestError, Elasticsearch

from ..bundle import Manifest
from ..errors import ElasticError
from ..hooks import INDEX_TYPES, Provenance, index_request, read_provenance
from ..hooks.indexing import ENGLISH_ANALYSIS, STANDARD_ANALYSIS
from .connect import elastic_errors


def create_index(
    client: Elasticsearch,
    index: str,
    manifest: Manifest,
    *,
    inputs: Sequence[str],
    index_type: str = "hnsw",
    shards: int = 1,
    replicas: int = 0,
    field: str = "embedding",
) -> None:
    """Creates the index with the mapping, BM25 settings and provenance this encoder needs.

    Raises ElasticError when it exists already or a value is refused.
    """
    if index_type not in INDEX_TYPES:
        raise ElasticError(f"index type {index_type!r} is unknown; known: {', '.join(INDEX_TYPES)}")
    if not inputs or len(set(inputs)) < len(inputs) or field in inputs:
        raise ElasticError(
            f"inputs {', '.join(inputs) or '(none)'} must be different text fields,"
            f" none of them the vector field {field!r}"
        )
    with elastic_errors(client):
        if client.indices.exists(index=index):
            raise ElasticError(f"index {index!r} exists already; delete it or choose another name")
        analysis = ENGLISH_ANALYSIS if _has_english(client) else STANDARD_ANALYSIS
        body = index_request(
            manifest,
            inputs=inputs,
            index_type=index_type,
            shards=shards,
            replicas=replicas,
            field=field,
            analysis=analysis,
        )
        client.indices.create(index=index, **body)


def provenance_of(client: Elasticsearch, index: str) -> Provenance:
    """What the index, or the one index behind an alias, says of its fields.

    Raises IndexNotFound, or ElasticError when densehook did not make the index.
    """
    with elastic_errors(client):
        found = client.indices.get_mapping(index=index)
    if len(found) != 1:
        names = ", ".join(sorted(found)) or "no index"
        raise ElasticError(f"{index!r} stands for {names}; name one index")
    ((name, entry),) = found.items()
    return read_provenance(name, entry["mappings"])


def _has_english(client: Elasticsearch) -> bool:
    """Whether this distribution has the English analyzer; the smallest one has not."""
    try:
        client.indices.analyze(analyzer="english", text="probe")
    except BadRequestError:
        return False
    return True


def index_exists(client: Elasticsearch, index: str) -> bool:
    """Whether there is such an index or alias."""
    with elastic_errors(client):
        return bool(client.indices.exists(index=index))


def count_in(client: Elasticsearch, index: str) -> int:
    """Documents that a search of the index can find."""
    with elastic_errors(client):
        return int(client.count(index=index)["count"])


def delete_index(client: Elasticsearch, index: str) -> None:
    """Deletes the index and all it holds; raises IndexNotFound when there is none."""
    with elastic_errors(client):
        client.indices.delete(index=index)
