"""How many documents of an index have a vector, and whose: counted by the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
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
from .paging import count_whole, pages, whole
from .patience import Patience
from .remote import remote_encoder

if TYPE_CHECKING:
    from ..encode import DocumentTokenizer

_PAGE = 500
_USUAL = 0.95


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


@dataclass(frozen=True)
class ChunkCounts:
    """How many chunks documents have that have some: of 95 in a hundred at most, and at most."""

    usual: int
    most: int


def coverage_of(
    client: Elasticsearch, index: str, field: VectorField, patience: Patience | None = None
) -> Coverage:
    """Asks the cluster, at one moment.

    Raises IndexNotFound, ElasticError, also for a shard that is not there; with ``patience``, which
    waits for it, ClusterUnavailable.
    """
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
    answer = whole(
        client, patience, index=index, size=0, track_total_hits=True, aggregations=counted
    )
    documents = int(answer["hits"]["total"]["value"])
    found = answer["aggregations"]["by"]["buckets"]
    counts = {name: int(found[name]["doc_count"]) for name in asked}
    without_text = documents - counts.pop("vectors") - counts["lacking"]
    chunks = None
    if field.chunk is not None:
        chunks = int(answer["aggregations"]["chunks"]["of"]["doc_count"])
    return Coverage(documents, **counts, without_text=without_text, chunks=chunks)


def count_chunks(client: Elasticsearch, index: str, field: VectorField) -> ChunkCounts | None:
    """Asks the cluster how long the long documents are; None where none has chunks.

    No aggregation counts by document what is nested in it, without a script. A query scores by it:
    each chunk is worth 1, and so many documents have so many as that score finds. Raises as
    ``coverage_of``.
    """
    by_chunks = {
        "nested": {
            "path": field.path,
            "score_mode": "sum",
            "query": {"constant_score": {"filter": {"exists": {"field": field.name}}}},
        }
    }
    best = whole(client, index=index, query=by_chunks, size=1, source=False, track_total_hits=True)
    documents = int(best["hits"]["total"]["value"])
    if not documents:
        return None
    most = int(best["hits"]["max_score"])
    longer = documents - ceil(_USUAL * documents)
    usual, above = 1, most  # halved until they meet, nine times for 512 chunks
    while usual < above:
        middle = (usual + above) // 2
        if count_whole(client, index, by_chunks, min_score=middle + 1) > longer:
            usual = middle + 1
        else:
            above = middle
    return ChunkCounts(usual, most)


@dataclass(frozen=True)
class TextCounts:
    """Documents with a note of their vector, by their texts, of which each was read.

    ``of_other_text`` have a vector that was made of another. ``truncated`` have one of the first
    tokens alone; None where it is one of chunks or of no text, or nobody here can tell.
    """

    texts: int
    of_other_text: int
    truncated: int | None


def count_texts(client: Elasticsearch, index: str, field: VectorField) -> TextCounts:
    """Reads every document with a note. Raises IndexNotFound, ElasticError."""
    join = join_of(client, field)
    tokenizer = _tokenizer_of(field) if is_cut(field) else None
    texts = other = truncated = 0
    for hits in pages(client, index, has_note(field), [NOTES, *field.text.read], _PAGE):
        sources = [hit.get("_source", {}) for hit in hits]
        texts += len(sources)
        other += sum(_has_other_text(source, field, join) for source in sources)
        if tokenizer is not None:
            truncated += sum(tokenizer.cuts(_prompted(source, field, join) for source in sources))
    return TextCounts(texts, other, None if tokenizer is None else truncated)


def is_cut(field: VectorField) -> bool:
    """Whether a vector is of a whole text, of which the encoder reads the first tokens alone."""
    return field.chunk is None and field.text.modality == "text"


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
    manifest = manifest_of(client, field)
    return join_by_spaces if manifest is None else manifest.join


def manifest_of(client: Elasticsearch, field: VectorField) -> Manifest | None:
    """What the field's encoder states of itself, in the cluster or in a bundle here; else None."""
    if not field.encoder:  # nothing says whose vectors it has
        return None
    found = _manifests(client, field.encoder)
    return next((each for each in found if each.space == field.fingerprint), None)


def _manifests(client: Elasticsearch, name: str) -> Iterator[Manifest]:
    with suppress(NotInService, ElasticError, BundleError):
        yield remote_encoder(client, name).manifest
    with suppress(BundleError):
        yield read_bundle(bundle_folder(name)).manifest
