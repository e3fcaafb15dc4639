"""An index's vectors in an index of their own, of another kind, to be searched beside it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from ..errors import ElasticError, RequestError
from ..hooks import VectorField
from ..types import ScoredDoc
from .bulk import Write, require_available, send
from .connect import elastic_errors
from .search import rankings
from .vectors import stored_vectors

_FIELD = "vector"
_MERGE_TIMEOUT_S = 3600


@dataclass(frozen=True)
class Nearest:
    """How a kNN search is asked: ``k`` hits, of so many candidates for each shard.

    ``oversample`` times ``k`` of them are compared again by their whole vectors, where the index
    keeps smaller ones; 0 leaves that out, and None leaves it to Elasticsearch.
    """

    k: int
    num_candidates: int
    oversample: float | None = None

    def body(self, vector: Sequence[float]) -> dict[str, Any]:
        """The request."""
        knn: dict[str, Any] = {
            "field": _FIELD,
            "query_vector": vector,
            "k": self.k,
            "num_candidates": self.num_candidates,
        }
        if self.oversample is not None:
            knn["rescore_vector"] = {"oversample": self.oversample}
        return {"knn": knn, "size": self.k, "_source": False, "track_total_hits": False}


@dataclass(frozen=True)
class Size:
    """What an index takes, in bytes: on disk, and of that what a search wants in memory.

    ``memory`` is the graph with the vectors it is walked by, the smaller ones where there are
    such; Lucene keeps them outside the heap. None where Elasticsearch does not say.
    """

    disk: int
    memory: int | None


class VectorCopy:
    """The vectors of one field, and nothing else, indexed in one way."""

    def __init__(self, client: Elasticsearch, name: str) -> None:
        self.client = client
        self.name = name

    def fill(self, index: str, field: VectorField) -> Iterator[int]:
        """Copies the field's vectors here, findable at the end; gives how many are, as it goes."""
        count = 0
        for batch in stored_vectors(self.client, index, field):
            writes = [
                Write.of(self.client, "index", id_, {_FIELD: vector}, absent=True)
                for id_, vector in batch
            ]
            with elastic_errors(self.client):
                refusals = list(send(self.client, self.name, writes))
            require_available(refusals)
            for (id_, _), refusal in zip(batch, refusals, strict=True):
                if refusal is not None:
                    raise ElasticError(f"the vector of document {id_!r}: {refusal.error}")
            count += len(batch)
            yield count
        with elastic_errors(self.client):
            self.client.indices.refresh(index=self.name)

    def merge(self) -> None:
        """Makes one segment of each shard, and writes all to disk."""
        with elastic_errors(self.client):
            patient = self.client.options(request_timeout=_MERGE_TIMEOUT_S, max_retries=0)
            patient.indices.forcemerge(index=self.name, max_num_segments=1, flush=True)
            self.client.indices.refresh(index=self.name)

    def size(self) -> Size:
        """What the index takes."""
        with elastic_errors(self.client):
            answer = self.client.indices.stats(index=self.name, metric="store,dense_vector")
        held = answer["_all"]["primaries"]
        return Size(int(held["store"]["size_in_bytes"]), _memory(held.get("dense_vector", {})))

    def search(self, vectors: Sequence[Sequence[float]], asked: Nearest) -> list[list[ScoredDoc]]:
        """The hits of each vector, some in one request."""
        return rankings(self.client, self.name, [asked.body(each) for each in vectors])


@contextmanager
def copied(
    client: Elasticsearch, index: str, field: VectorField, options: Mapping[str, Any], shards: int
) -> Iterator[VectorCopy]:
    """An empty index for a field's vectors with these ``index_options``; it is gone at the end.

    Raises RequestError for options that the server, or the vectors, do not allow.
    """
    name = f"{index}-{options['type'].replace('_', '-')}-{secrets.token_hex(4)}"
    mapping = {
        **{
            key: field.mapping[key]
            for key in ("type", "dims", "similarity", "element_type")
            if key in field.mapping
        },
        "index": True,
        "index_options": dict(options),
    }
    try:
        try:
            with elastic_errors(client):
                client.options(max_retries=0).indices.create(
                    index=name,
                    settings={
                        "number_of_shards": shards,
                        "number_of_replicas": 0,
                        "refresh_interval": "-1",
                    },
                    mappings={
                        "dynamic": False,
                        "_source": {"enabled": False},
                        "properties": {_FIELD: mapping},
                    },
                )
        except ElasticError as error:
            if isinstance(error.__cause__, BadRequestError):
                raise RequestError(str(error)) from error
            raise
        yield VectorCopy(client, name)
    finally:  # also where the answer was lost, and the index is there
        with elastic_errors(client):
            client.options(max_retries=0).indices.delete(index=name, ignore_unavailable=True)


def index_options(field: VectorField, kind: str) -> dict[str, Any]:
    """The options of a field's copy: of another kind, its graph as the field's own is."""
    graph = ("m", "ef_construction") if kind.endswith("hnsw") else ()
    own = field.mapping.get("index_options", {})
    return {"type": kind, **{name: own[name] for name in graph if name in own}}


def heap_used(client: Elasticsearch) -> int | None:
    """Bytes of the Java heap that all nodes use at this moment, with what nobody needs any more.

    None without the privilege ``monitor``.
    """
    try:
        with elastic_errors(client):
            nodes = client.nodes.stats(metric="jvm")["nodes"]
    except ElasticError:
        return None
    return sum(int(node["jvm"]["mem"]["heap_used_in_bytes"]) for node in nodes.values())


def _memory(stats: Mapping[str, Any]) -> int | None:
    held = stats.get("off_heap")
    if not held:
        return None
    small = int(held["total_veb_size_bytes"]) + int(held["total_veq_size_bytes"])
    return int(held["total_vex_size_bytes"]) + (small or int(held["total_vec_size_bytes"]))
