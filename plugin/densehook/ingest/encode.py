"""From documents to what is written: each with its vector and the note of it."""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..bundle import is_blank
from ..collections import BadLine
from ..elastic.bulk import Write
from ..elastic.stored import StoredDocuments
from ..errors import UnusableDocument
from ..hooks import (
    NOTES,
    Note,
    Stored,
    Vector,
    VectorField,
    decide,
    join_by_spaces,
    text_of,
    with_note,
    with_vector,
    without_vector,
)
from ..types import Document, EncodeStats
from .outcome import Failure

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder


@dataclass(frozen=True)
class Ready:
    """A document ready to be written, the inputs it has nothing in, and what its vector is."""

    document: Document
    write: Write
    missing: Sequence[str]
    vector: Vector


@dataclass
class Plan:
    """A document and its text; what its vector is, its note, and its source, as they get known."""

    document: Document
    text: str
    missing: Sequence[str]
    vector: Vector = Vector.MADE
    note: Note | None = None
    source: Mapping[str, Any] | None = None


@dataclass
class Window:
    """Documents that were looked up and encoded together; no id is there twice.

    ``there`` are those that an earlier feed wrote, which was ended before it could say so.
    """

    there: list[Plan] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    encoded: EncodeStats = field(default_factory=EncodeStats)


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
        doubtful: int = 0,
    ) -> None:
        """Some of the first ``doubtful`` documents may be there, by a feed that was ended."""
        self._stored = StoredDocuments(client, index, target.name)
        self._client = client
        self._target = target
        self._encoder = encoder
        self._base64 = base64
        self._replace = replace
        self._doubtful = doubtful

    @property
    def in_cluster(self) -> bool:
        """Whether the cluster makes the vectors."""
        return self._encoder is None

    def prepare(self, items: Sequence[Document | BadLine]) -> Window:
        """Documents with unlike ids -> what is to be written, and what cannot be."""
        window = Window()
        plans = list(self._planned(items, window))
        known = self._known(plans)
        there: Collection[str] = ()
        if not self._replace:
            taken = [plan.document for plan in plans if known.get(plan.document.id)]
            there = self._written_before(taken)
            conflicts = {document.id for document in taken if document.id not in there}
            window.failures += (Failure.conflict(each) for each in taken if each.id in conflicts)
            plans = [plan for plan in plans if plan.document.id not in conflicts]
            self._doubtful -= len(items)
        for plan in plans:
            self._decide(plan, None if plan.document.id in there else known.get(plan.document.id))
        if self._encoder is not None:
            # what is there already as well: in other company vectors differ in their last bits
            self._encode(self._encoder, plans, window)
        for plan in plans:
            if plan.document.id in there:
                window.there.append(plan)
            elif plan.source is not None:
                absent = plan.document.id in known and known[plan.document.id] is None
                self._add(plan, plan.source, absent, window)
        return window

    def _planned(self, items: Sequence[Document | BadLine], window: Window) -> Iterator[Plan]:
        for item in items:
            if isinstance(item, BadLine):
                window.failures.append(Failure.unread(item))
                continue
            try:
                yield self._plan(item)
            except UnusableDocument as error:
                window.failures.append(Failure.of(item, error))

    def _plan(self, document: Document) -> Plan:
        _require_free_names(document)
        join = join_by_spaces if self._encoder is None else self._encoder.manifest.join
        text, missing = text_of(document, self._target.inputs, join)
        return Plan(document, text, missing)

    def _written_before(self, documents: Sequence[Document]) -> Collection[str]:
        """Ids of those that an earlier feed wrote: the index has just what they hold."""
        return self._stored.alike(documents) if self._doubtful > 0 else ()

    def _known(self, plans: Sequence[Plan]) -> Mapping[str, Stored | None]:
        if self._replace and self._encoder is None:
            return {}
        ids = [plan.document.id for plan in plans]
        return self._stored.known(ids, vectors=self._replace)

    def _decide(self, plan: Plan, stored: Stored | None) -> None:
        """Completes the plan, unless its text is to be encoded here."""
        name, fields = self._target.name, plan.document.fields
        if self._encoder is None:
            # what is current is for the node to say, which knows the joiner and the stored document
            if self._target.inputs and is_blank(plan.text):
                plan.vector = Vector.NONE
            plan.source = fields
            return
        decided = decide(fields, name, plan.text, self._target.fingerprint, stored)
        plan.vector, plan.note = decided.vector, decided.note
        if decided.vector is Vector.KEPT:
            plan.source = with_note(fields, name, decided.note)
        elif decided.vector is Vector.NONE:
            plan.source = without_vector(fields, name)
        elif decided.vector is Vector.TAKEN and stored is not None and stored.vector is not None:
            plan.source = with_vector(fields, name, self._written(stored.vector), decided.note)

    def _encode(self, encoder: Encoder, plans: Sequence[Plan], window: Window) -> None:
        """Completes the plans whose texts are to be encoded; those that cannot be are failures."""
        wanting = [plan for plan in plans if plan.source is None]
        encoded = encoder.encode_each([plan.text for plan in wanting], "document")
        window.encoded = encoded.stats
        for number, plan in enumerate(wanting):
            if number in encoded.failures:
                window.failures.append(Failure.of(plan.document, encoded.failures[number]))
                continue
            vector = self._written(encoded.vectors[number])
            plan.source = with_vector(plan.document.fields, self._target.name, vector, plan.note)

    def _written(self, vector: Iterable[float]) -> list[float] | str:
        return written(vector, base64=self._base64)

    def _add(self, plan: Plan, source: Mapping[str, Any], absent: bool, window: Window) -> None:
        verb = "index" if self._replace else "create"
        document = plan.document
        try:
            write = Write.of(self._client, verb, document.id, source, absent)
        except ValueError as error:
            window.failures.append(Failure.of(document, error))
            return
        window.ready.append(Ready(document, write, plan.missing, plan.vector))


def written(vector: Iterable[float], *, base64: bool) -> list[float] | str:
    """A vector as a request holds it: numbers, or base64 of big-endian float32."""
    numbers = array("f", vector)
    if not base64:
        return numbers.tolist()
    if sys.byteorder == "little":
        numbers.byteswap()
    return b64encode(numbers).decode()


def _require_free_names(document: Document) -> None:
    """Raises UnusableDocument where something else than notes has their name."""
    notes = document.fields.get(NOTES)
    if notes is not None and not isinstance(notes, Mapping):
        raise UnusableDocument(
            f"field {NOTES!r} is kept for notes of what a vector was made of; rename yours"
        )
