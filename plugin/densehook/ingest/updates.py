"""Updates of stored documents: each brings a vector and its note, or has the cluster make one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..bundle import is_blank
from ..elastic.bulk import Write
from ..elastic.coverage import manifest_of
from ..elastic.indices import takes_base64
from ..errors import UnusableDocument
from ..hooks import (
    NOTES,
    VectorField,
    embedded,
    field_text,
    has_other_text,
    join_by_spaces,
    note_in,
    prompt_of,
)
from ..types import Document, EncodeStats
from .outcome import Failure
from .source import Portion, characters_of, portion_of, portions
from .values import values_of

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder


@dataclass
class Change:
    """A stored document and the update of it; without one it is a failure."""

    document: Document
    conditions: Mapping[str, Any]
    write: Write | None = None
    failure: Failure | None = None


@dataclass
class Page:
    """Documents that were read together, with what is to become of them."""

    changes: list[Change] = field(default_factory=list)
    encoded: EncodeStats = field(default_factory=EncodeStats)

    @property
    def writes(self) -> Sequence[Write]:
        """The updates; of what is a failure there is none."""
        return [change.write for change in self.changes if change.write is not None]


class Updates:
    """Makes updates of stored documents, here or for the cluster to complete."""

    def __init__(
        self, client: Elasticsearch, index: str, target: VectorField, encoder: Encoder | None
    ) -> None:
        self.target = target
        self.encoder = encoder
        # what the cluster's encoder is may be told to nobody: then its texts are joined as usual
        manifest = manifest_of(client, target) if encoder is None else encoder.manifest
        self.join = join_by_spaces if manifest is None else manifest.join
        self.portion = portion_of(target, manifest, in_cluster=encoder is None)
        self._client = client
        self._base64 = encoder is not None and takes_base64(client, index)

    def fields(self, texts: bool) -> Sequence[str]:
        """What is to be read of a document: where the cluster encodes, what says how long it is."""
        if texts or self.encoder is not None:
            return [NOTES, *self.target.text.read]
        return self.target.text.paths if self.target.text.modality == "text" else []

    def parts(
        self, hits: Iterable[Mapping[str, Any]], portion: Portion
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Stored documents as many at a time as may be encoded together."""
        return parts_of(hits, portion, self.target)

    def page(self, hits: Sequence[Mapping[str, Any]]) -> Page:
        """Stored documents -> the updates of them."""
        changes = [Change(Document(hit["_id"], hit.get("_source", {})), {}) for hit in hits]
        for change, hit in zip(changes, hits, strict=True):
            change.conditions = _conditions(hit, guarded=self.encoder is not None)
        page = Page(changes)
        if self.encoder is None:
            for change in changes:
                self._write(change, {"doc": {}})
        else:
            self._encode(self.encoder, page)
        return page

    def of_other_text(self, hits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of the documents whose vector was made of another text."""
        return [hit for hit in hits if self._has_other_text(hit.get("_source", {}))]

    def _has_other_text(self, source: Mapping[str, Any]) -> bool:
        try:
            return has_other_text(source, self.target, self.join)
        except UnusableDocument:
            return True  # it will be a failure that says so

    def _encode(self, encoder: Encoder, page: Page) -> None:
        wanting: list[tuple[Change, str, str | None]] = []
        for change in page.changes:
            try:
                text, _ = field_text(change.document, self.target, self.join)
                prompt = prompt_of(change.document, self.target.text)
            except UnusableDocument as error:
                change.failure = Failure.of(change.document, error)
                continue
            if is_blank(text):
                self._write(change, self._without_text(change.document))
            else:
                wanting.append((change, text, prompt))
        texts = [(text, prompt) for _, text, prompt in wanting]
        made = values_of(encoder, self.target, texts, base64=self._base64)
        page.encoded = made.encoded
        for place, (change, text, prompt) in enumerate(wanting):
            if place in made.failures:
                change.failure = Failure.of(change.document, made.failures[place])
            else:
                update = embedded(self.target, text, made.values[place], prompt)
                self._write(change, _update(update))

    def _without_text(self, document: Document) -> dict[str, Any]:
        """Says that there is no text, as the node does, and takes away a vector that was of one."""
        update = embedded(self.target, "", None)
        if note_in(document.fields, self.target.name) is None:
            update = {NOTES: update[NOTES]}
        return _update(update)

    def _write(self, change: Change, update: Mapping[str, Any]) -> None:
        change.write = Write.of(
            self._client, "update", change.document.id, update, False, change.conditions
        )


def parts_of(
    hits: Iterable[Mapping[str, Any]], portion: Portion, target: VectorField | None
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Stored documents, a portion at a time; without a target no text of theirs is long."""

    def length(hit: Mapping[str, Any]) -> int:
        return 0 if target is None else characters_of(hit.get("_source", {}), target)

    return portions(hits, portion, length)


def _conditions(hit: Mapping[str, Any], *, guarded: bool) -> dict[str, Any]:
    """Where a document lies and, guarded, which version of it alone may be written over.

    The cluster merges an update into whatever version there is, so that it needs no guard.
    """
    conditions = {"routing": hit["_routing"]} if "_routing" in hit else {}
    if guarded:
        conditions["if_seq_no"] = hit["_seq_no"]
        conditions["if_primary_term"] = hit["_primary_term"]
    return conditions


def _update(partial: Mapping[str, Any]) -> dict[str, Any]:
    # a note may be there that no query finds, since it is older than its mapping: written again
    return {"doc": partial, "detect_noop": False}
