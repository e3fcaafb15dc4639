"""What an index holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..elastic.connect import elastic_errors
from ..hooks import Provenance, VectorField, has_vector

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


@dataclass(frozen=True)
class IndexStats:
    """Documents that a search can find, those of them with a vector, and whose vectors they are.

    ``bytes`` is what primary shards take on disk.
    """

    index: str
    documents: int
    with_vector: int
    bytes: int
    field: str
    encoder: str
    fingerprint: str
    in_cluster: bool

    @property
    def without_vector(self) -> int:
        """Documents that dense search cannot find; those without text are among them."""
        return self.documents - self.with_vector


def stats_of(client: Elasticsearch, provenance: Provenance, field: VectorField) -> IndexStats:
    """Asks the cluster. Raises IndexNotFound, ElasticError."""
    index = provenance.index
    with elastic_errors(client):
        documents = int(client.count(index=index)["count"])
        with_vector = int(client.count(index=index, query=has_vector(field))["count"])
        store = client.indices.stats(index=index, metric="store")["_all"]["primaries"]["store"]
    return IndexStats(
        index,
        documents,
        with_vector,
        int(store["size_in_bytes"]),
        field.name,
        field.encoder,
        field.fingerprint,
        provenance.in_cluster,
    )
