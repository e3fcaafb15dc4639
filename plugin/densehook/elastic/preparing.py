"""From documents to what is written: each with its vector and the note of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch
from elasticsearch.exceptions import SerializationError

from ..bundle import is_blank
from ..encode import Encoder, EncodeStats
from ..hooks import (
    NOTES,
    UnusableDocument,
    VectorField,
    brings_vector,
    is_reusable,
    join_by_spaces,
    note_in,
    note_of,
    text_of,
    with_own_vector,
    with_vector,
    without_vector,
)
from ..types import Document
from .bulk import Write
from .documents import BadLine
from .stored import Stored, StoredDocuments

# what became of a document's vector, besides being made anew
REUSED = "reused"
BROUGHT = "brought"
WITHOUT_TEXT = "without_text"

_ID_SHOWN = 80
_CONFLICT = (
    "id {!r} is in the index already (a duplicate in the input, or indexed before); the first one"
    " stays, --replace writes over it"
)


@dataclass(frozen=True)
class Failure:
    """A document that did not reach the index, where it came from, and why."""

    origin: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}" if self.origin else f"{self.id}: {self.reason}"

    @classmethod
    def of(cls, document: Document, reason: object) -> Failure:
        """A document's failure."""
        shown = document.id if len(document.id) <= _ID_SHOWN else document.id[:_ID_SHOWN] + "…"
        return cls(document.origin, document.id, f"document {shown!r}: {reason}")

    @classmethod
    def conflict(cls, document: Document) -> Failure:
        """The failure of a document whose id is taken."""
        return cls(document.origin, document.id, _CONFLICT.format(document.id))


@dataclass(frozen=True)
class Ready:
    """A document ready to be written, what it gave no text to, and what its vector is."""

    document: Document
    write: Write
    missing: Sequence[str]
    vector: str = ""


@dataclass
class Window:
    """Documents that were looked up and encoded together; no id is there twice."""

    ready: list[Ready] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    encoded: EncodeStats = field(default_factory=EncodeStats)


@dataclass(frozen=True)
class _Plan:
    """A document, its text, and its source as far as it is known before encoding."""

    document: Document
    text: str
    missing: Sequence[str]
    source: Mapping[str, Any] | None = None
    vector: str = ""


def windows(
    documents: Iterable[Document | BadLine], size: int
) -> Iterator[list[Document | BadLine]]:
    """So many at a time, fewer where an id comes again: the second waits for the first's answer."""
    window: list[Document | BadLine] = []
    ids: set[str] = set()
    for item in documents:
        if len(window) == size or (isinstance(item, Document) and item.id in ids):
            yield window
            window, ids = [], set()
        window.append(item)
        if isinstance(item, Document):
            ids.add(item.id)
    if window:
        yield window


class Preparer:
    """Prepares windows of documents for one index.

    Without an encoder the cluster makes the vectors, and decides which are current. ``base64`` is
    how this index takes vectors. Documents are looked up for what can be spared: encoding one whose
    id is taken, and, with ``replace``, one that is there with a vector of the same text.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        target: VectorField,
        encoder: Encoder | None,
        *,
        base64: bool,
        replace: bool,
    ) -> None:
        self._stored = StoredDocuments(client, index, target.name)
        self._json = client.transport.serializers.get_serializer("application/json")
        self._target = target
        self._encoder = encoder
        self._base64 = base64
        self._replace = replace

    def prepare(self, items: Sequence[Document | BadLine]) -> Window:
        """Documents with unlike ids -> what is to be written, and what cannot be."""
        window = Window()
        plans = list(self._planned(items, window))
        known = self._known(plans)
        if not self._replace:
            taken = [plan.document for plan in plans if known.get(plan.document.id)]
            window.failures += map(Failure.conflict, taken)
            plans = [plan for plan in plans if not known.get(plan.document.id)]
        if self._encoder is None:
            plans = [_resolved(plan, plan.document.fields, plan.vector) for plan in plans]
        else:
            plans = [self._without_encoding(plan, known.get(plan.document.id)) for plan in plans]
            plans = self._encoded(self._encoder, plans, window)
        for plan in plans:
            absent = plan.document.id in known and known[plan.document.id] is None
            self._add(plan, absent, window)
        return window

    def _planned(self, items: Sequence[Document | BadLine], window: Window) -> Iterator[_Plan]:
        for item in items:
            if isinstance(item, BadLine):
                window.failures.append(Failure(f"{item.path}:{item.line}", "", item.reason))
                continue
            try:
                yield self._plan(item)
            except UnusableDocument as error:
                window.failures.append(Failure.of(item, error))

    def _plan(self, document: Document) -> _Plan:
        _require_free_names(document)
        join = join_by_spaces if self._encoder is None else self._encoder.manifest.join
        text, missing = text_of(document, self._target.inputs, join)
        blank = self._target.inputs and is_blank(text)
        return _Plan(document, text, missing, vector=WITHOUT_TEXT if blank else "")

    def _known(self, plans: Sequence[_Plan]) -> Mapping[str, Stored | None]:
        if self._replace and self._encoder is None:
            return {}
        ids = [plan.document.id for plan in plans]
        return self._stored.known(ids, vectors=self._replace)

    def _without_encoding(self, plan: _Plan, stored: Stored | None) -> _Plan:
        """The plan with its source, where that is known without the encoder."""
        name, fingerprint = self._target.name, self._target.fingerprint
        fields = plan.document.fields
        if brings_vector(fields, name, plan.text, fingerprint):
            return _resolved(plan, with_own_vector(fields, name, plan.text), BROUGHT)
        if plan.vector == WITHOUT_TEXT:
            return _resolved(plan, without_vector(fields, name), WITHOUT_TEXT)
        brought = note_in(fields, name)
        if (
            stored is not None
            and stored.note is not None
            and stored.vector is not None
            and is_reusable(stored.note, brought, plan.text, fingerprint)
        ):
            vector = self._written(stored.vector)
            return _resolved(plan, with_vector(fields, name, vector, stored.note), REUSED)
        return plan

    def _encoded(self, encoder: Encoder, plans: Sequence[_Plan], window: Window) -> list[_Plan]:
        """All of them with their source, but those whose text cannot be encoded."""
        open_plans = [plan for plan in plans if plan.source is None]
        encoded = encoder.encode_each([plan.text for plan in open_plans], "document")
        window.encoded = encoded.stats
        made: dict[str, _Plan] = {}
        for number, plan in enumerate(open_plans):
            if number in encoded.failures:
                window.failures.append(Failure.of(plan.document, encoded.failures[number]))
                continue
            note = note_of(plan.text, self._target.fingerprint)
            vector = self._written(encoded.vectors[number])
            source = with_vector(plan.document.fields, self._target.name, vector, note)
            made[plan.document.id] = _resolved(plan, source, "")
        done = (made.get(plan.document.id, plan) for plan in plans)
        return [plan for plan in done if plan.source is not None]

    def _written(self, vector: Sequence[float] | Any) -> Any:
        """A vector as a request holds it."""
        numbers = np.asarray(vector, dtype=np.float32)
        if self._base64:
            return b64encode(numbers.astype(">f4").tobytes()).decode()
        return numbers.tolist()

    def _add(self, plan: _Plan, absent: bool, window: Window) -> None:
        verb = "index" if self._replace else "create"
        try:
            action = self._json.dumps({verb: {"_id": plan.document.id}})
            source = self._json.dumps(plan.source)
        except SerializationError as error:
            reason = f"a value that JSON cannot hold: {error.message}"
            window.failures.append(Failure.of(plan.document, reason))
            return
        write = Write(plan.document.id, action, source, absent)
        window.ready.append(Ready(plan.document, write, plan.missing, plan.vector))


def _resolved(plan: _Plan, source: Mapping[str, Any], vector: str) -> _Plan:
    return _Plan(plan.document, plan.text, plan.missing, source, vector)


def _require_free_names(document: Document) -> None:
    """Raises UnusableDocument where something else than notes has their name."""
    notes = document.fields.get(NOTES)
    if notes is not None and not isinstance(notes, Mapping):
        raise UnusableDocument(
            f"field {NOTES!r} is kept for notes of what a vector was made of; rename yours"
        )
