"""How many documents of an index have a vector, and whose: counted by the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from ..bundle import Manifest, bundle_folder, read_bundle
from ..errors import BundleError, ElasticError, NotInService, UnusableDocument
from ..hooks import (
    NOTES,
    Join,
    VectorField,
    has_note,
    has_other_text,
    has_vector,
    join_by_spaces,
    lacks_vector,
    of_a_client,
    of_another_encoder,
)
from .connect import elastic_errors
from .paging import pages
from .remote import remote_encoder

_PAGE = 500


@dataclass(frozen=True)
class Coverage:
    """Documents that a search can find, by what their vector is.

    ``lacking`` have text and no vector, ``stale`` one of another encoder than the field's,
    ``foreign`` one that a client brought; ``without_text`` have none, and need none.
    """

    documents: int
    lacking: int
    stale: int
    foreign: int
    without_text: int

    @property
    def to_embed(self) -> int:
        """Documents that are to get a vector of the field's encoder."""
        return self.lacking + self.stale


def coverage_of(client: Elasticsearch, index: str, field: VectorField) -> Coverage:
    """Asks the cluster, at one moment. Raises IndexNotFound, ElasticError."""
    asked = {
        "vectors": has_vector(field),
        "lacking": lacks_vector(field),
        "stale": of_another_encoder(field),
        "foreign": of_a_client(field),
    }
    with elastic_errors(client):
        answer = client.search(
            index=index,
            size=0,
            track_total_hits=True,
            aggregations={"by": {"filters": {"filters": asked}}},
        )
    documents = int(answer["hits"]["total"]["value"])
    found = answer["aggregations"]["by"]["buckets"]
    counts = {name: int(found[name]["doc_count"]) for name in asked}
    without_text = documents - counts.pop("vectors") - counts["lacking"]
    return Coverage(documents, **counts, without_text=without_text)


def count_of_other_text(client: Elasticsearch, index: str, field: VectorField) -> int:
    """Documents whose vector was made of another text than they have: every one is read."""
    join = join_of(client, field)
    names = [NOTES, *field.sources]
    found = 0
    for hits in pages(client, index, has_note(field), names, _PAGE):
        found += sum(_has_other_text(hit.get("_source", {}), field, join) for hit in hits)
    return found


def _has_other_text(source: Mapping[str, Any], field: VectorField, join: Join) -> bool:
    try:
        return has_other_text(source, field, join)
    except UnusableDocument:
        return False


def join_of(client: Elasticsearch, field: VectorField) -> Join:
    """How the field's encoder joins texts, as the cluster or a bundle here says; else by spaces."""
    for manifest in _manifests(client, field.encoder):
        if manifest.fingerprint == field.fingerprint:
            return manifest.join
    return join_by_spaces


def _manifests(client: Elasticsearch, name: str) -> Iterator[Manifest]:
    with suppress(NotInService, ElasticError):
        yield remote_encoder(client, name).manifest
    with suppress(BundleError):
        yield read_bundle(bundle_folder(name)).manifest
