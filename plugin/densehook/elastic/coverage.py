"""How many documents of an index have a vector, and whose: counted by the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elasticsearch import Elasticsearch

from ..bundle import Manifest, bundle_folder, read_bundle
from ..errors import BundleError, ElasticError, MissingExtra, NotInService, UnusableDocument
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
    prompt_of,
    text_of,
)
from ..types import Document
from .connect import elastic_errors
from .paging import pages
from .remote import remote_encoder

if TYPE_CHECKING:
    from ..encode import DocumentTokenizer

_PAGE = 500


@dataclass(frozen=True)
class Coverage:
    """Documents that a search can find, by what their vector is.

    ``lacking`` have text and no vector, ``stale`` one of another encoder than the field's,
    ``foreign`` one that a client brought; ``without_text`` have none, and need none. ``chunks`` are
    those of all, where a document has several.
    """

    documents: int
    lacking: int
    stale: int
    foreign: int
    without_text: int
    chunks: int | None = None

    @property
    def chunked(self) -> int:
        """Documents with chunks."""
        return self.documents - self.lacking - self.without_text

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
    counted: dict[str, Any] = {"by": {"filters": {"filters": asked}}}
    if field.chunk is not None:
        with_vector = {"filter": {"exists": {"field": field.name}}}
        counted["chunks"] = {"nested": {"path": field.path}, "aggregations": {"of": with_vector}}
    with elastic_errors(client):
        answer = client.search(index=index, size=0, track_total_hits=True, aggregations=counted)
    documents = int(answer["hits"]["total"]["value"])
    found = answer["aggregations"]["by"]["buckets"]
    counts = {name: int(found[name]["doc_count"]) for name in asked}
    without_text = documents - counts.pop("vectors") - counts["lacking"]
    chunks = None
    if field.chunk is not None:
        chunks = int(answer["aggregations"]["chunks"]["of"]["doc_count"])
    return Coverage(documents, **counts, without_text=without_text, chunks=chunks)


@dataclass(frozen=True)
class TextCounts:
    """Documents with a note of their vector, by their texts, of which each was read.

    ``of_other_text`` have a vector that was made of another. ``truncated`` have one of the first
    tokens alone; None where no chunk is, or nobody here can tell.
    """

    texts: int
    of_other_text: int
    truncated: int | None


def count_texts(client: Elasticsearch, index: str, field: VectorField) -> TextCounts:
    """Reads every document with a note. Raises IndexNotFound, ElasticError."""
    join = join_of(client, field)
    tokenizer = None if field.chunk is not None else _tokenizer_of(field)
    texts = other = truncated = 0
    for hits in pages(client, index, has_note(field), [NOTES, *field.text.read], _PAGE):
        sources = [hit.get("_source", {}) for hit in hits]
        texts += len(sources)
        other += sum(_has_other_text(source, field, join) for source in sources)
        if tokenizer is not None:
            truncated += sum(tokenizer.cuts(_prompted(source, field, join) for source in sources))
    return TextCounts(texts, other, None if tokenizer is None else truncated)


def _has_other_text(source: Mapping[str, Any], field: VectorField, join: Join) -> bool:
    try:
        return has_other_text(source, field, join)
    except UnusableDocument:
        return False


def _prompted(source: Mapping[str, Any], field: VectorField, join: Join) -> tuple[str, str | None]:
    """A document's text and its own prompt; empty where it cannot be used."""
    document = Document("", source)
    try:
        return text_of(document, field.text, join)[0], prompt_of(document, field.text)
    except UnusableDocument:
        return "", None


def _tokenizer_of(field: VectorField) -> DocumentTokenizer | None:
    """What tells how much the field's encoder reads, where its bundle is here."""
    with suppress(BundleError, MissingExtra):
        bundle = read_bundle(bundle_folder(field.encoder))
        if bundle.manifest.space == field.fingerprint:
            from ..encode import DocumentTokenizer

            return DocumentTokenizer(bundle)
    return None


def join_of(client: Elasticsearch, field: VectorField) -> Join:
    """How the field's encoder joins texts, as the cluster or a bundle here says; else by spaces."""
    for manifest in _manifests(client, field.encoder):
        if manifest.space == field.fingerprint:
            return manifest.join
    return join_by_spaces


def _manifests(client: Elasticsearch, name: str) -> Iterator[Manifest]:
    with suppress(NotInService, ElasticError):
        yield remote_encoder(client, name).manifest
    with suppress(BundleError):
        yield read_bundle(bundle_folder(name)).manifest
