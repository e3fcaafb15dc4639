"""From documents to what is written: each with its vector and the note of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..bundle import is_blank
from ..collections import BadLine
from ..elastic.bulk import Write
from ..elastic.coverage import manifest_of
from ..elastic.patience import Patience
from ..elastic.stored import StoredDocuments
from ..errors import UnusableDocument
from ..hooks import (
    NOTES,
    Note,
    Stored,
    Vector,
    VectorField,
    decide,
    field_text,
    join_by_spaces,
    prompt_of,
    with_note,
    with_vector,
    without_vector,
)
from ..types import Document, EncodeStats
from .outcome import Failure
from .source import portion_of, windows
from .values import rewritten, values_of_fields

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
    """A document, its text and prompt; its vector and its source, as they get known.

    ``wanted`` are the notes of what is to be encoded for it, by field: so long as there are some,
    ``source`` is not whole.
    """

    document: Document
    text: str
    missing: Sequence[str]
    prompt: str | None = None
    vector: Vector = Vector.MADE
    wanted: dict[str, Note | None] = field(default_factory=dict)
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

    @property
    def writes(self) -> Sequence[Write]:
        """Those of what is ready."""
        return [each.write for each in self.ready]


class Preparer:
    """Prepares windows of documents for one index.

    Without an encoder the cluster makes the vectors, and decides which are current. ``base64`` is
    how this index takes vectors. Documents are looked up for what can be spared: encoding one whose
    id is taken, and, with ``replace``, one that is there with a vector of the same text. Where the
    feed is ``repeatable`` the former is encoded all the same: when an id of the source comes twice,
    whether the first is there at the lookup is chance, and in other company the window's vectors
    would differ in their last bits.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        target: VectorField,
        encoder: Encoder | None,
        patience: Patience,
        *,
        base64: bool,
        replace: bool,
        repeatable: bool = False,
        doubtful: int = 0,
        beside: Sequence[VectorField] = (),
    ) -> None:
        """Some of the first ``doubtful`` documents may be there, by a feed that was ended.

        ``beside`` are fields that are filled by the same run of the encoder as the target.
        """
        self._targets = (target, *beside)
        self._stored = [StoredDocuments(client, index, each, patience) for each in self._targets]
        self._client = client
        self._target = target
        self._encoder = encoder
        self._base64 = base64
        self._replace = replace
        self._repeatable = repeatable
        self._doubtful = doubtful
        manifest = manifest_of(client, target) if encoder is None else encoder.manifest
        self._portion = portion_of(target, manifest, in_cluster=encoder is None)

    def windows(
        self, documents: Iterable[Document | BadLine]
    ) -> Iterator[list[Document | BadLine]]:
        """Documents to be prepared together; of long ones fewer."""
        return windows(documents, self._portion, self._target)

    def prepare(self, items: Sequence[Document | BadLine]) -> Window:
        """Documents with unlike ids -> what is to be written, and what cannot be."""
        window = Window()
        plans = list(self._planned(items, window))
        knowing = self._known(plans)
        known = knowing[0]
        taken = [plan.document for plan in plans if known.get(plan.document.id)]
        there = () if self._replace else self._written_before(taken)
        conflicts = [] if self._replace else [each for each in taken if each.id not in there]
        self._doubtful -= len(items)
        if not self._repeatable:
            plans = self._without(conflicts, plans, window)
        for plan in plans:
            id_ = plan.document.id
            self._decide(plan, [each.get(id_) if self._replace else None for each in knowing])
        if self._encoder is not None:
            # what is there already as well: in other company vectors differ in their last bits
            self._encode(self._encoder, plans, window)
        if self._repeatable:
            plans = self._without(conflicts, plans, window)
        window.there += (plan for plan in plans if plan.document.id in there)
        for plan in plans:
            if plan.source is not None and plan.document.id not in there:
                absent = plan.document.id in known and known[plan.document.id] is None
                self._add(plan, plan.source, absent, window)
        return window

    def _without(
        self, conflicts: Sequence[Document], plans: Sequence[Plan], window: Window
    ) -> list[Plan]:
        """The plans for other documents; these are failures, unless they are already."""
        failed = {id(failure.document) for failure in window.failures}
        new = [each for each in conflicts if id(each) not in failed]
        window.failures += map(Failure.conflict, new)
        ids = {each.id for each in conflicts}
        return [plan for plan in plans if plan.document.id not in ids]

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
        text, missing = field_text(document, self._target, join)
        return Plan(document, text, missing, prompt_of(document, self._target.text))

    def _written_before(self, documents: Sequence[Document]) -> Collection[str]:
        """Ids of those that an earlier feed wrote: the index has just what they hold."""
        own, *_ = self._stored
        return own.alike(documents, self._targets[1:]) if self._doubtful > 0 else ()

    def _known(self, plans: Sequence[Plan]) -> Sequence[Mapping[str, Stored | None]]:
        """By id what the index has of documents for each field; whether they are there, the first.

        Of the others nothing is asked where no vector could be taken.
        """
        if self._replace and self._encoder is None:
            return [{}]
        ids = [plan.document.id for plan in plans]
        if not self._replace:
            return [self._stored[0].known(ids, vectors=False), *[{}] * (len(self._targets) - 1)]
        return [each.known(ids, vectors=True) for each in self._stored]

    def _decide(self, plan: Plan, stored: Sequence[Stored | None]) -> None:
        """Completes the plan, unless its text is to be encoded here."""
        if self._encoder is None:
            # what is current is for the node to say, which knows the joiner and the stored document
            if self._target.inputs and is_blank(plan.text):
                plan.vector = Vector.NONE
            plan.source = plan.document.fields
            return
        source = plan.document.fields
        for target, known in zip(reversed(self._targets), reversed(stored), strict=True):
            source = self._decided(plan, target, known, source)
        plan.source = source

    def _decided(
        self, plan: Plan, target: VectorField, stored: Stored | None, source: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The document with what is known of one field; ``plan.vector`` is that of the last."""
        decided = decide(plan.document.fields, target, plan.text, stored, plan.prompt)
        plan.vector = decided.vector
        if decided.vector is Vector.MADE:
            plan.wanted[target.name] = decided.note
        elif decided.vector is Vector.KEPT:
            source = with_note(source, target, decided.note)
        elif decided.vector is Vector.NONE:
            source = without_vector(source, target)
        elif stored is not None:
            taken = rewritten(target, stored.value, base64=self._base64)
            source = with_vector(source, target, taken, decided.note)
        return source

    def _encode(self, encoder: Encoder, plans: Sequence[Plan], window: Window) -> None:
        """Completes the plans whose texts are to be encoded; those that cannot be are failures."""
        wanting = [plan for plan in plans if plan.wanted]
        texts = [(plan.text, plan.prompt) for plan in wanting]
        made = values_of_fields(encoder, self._targets, texts, base64=self._base64)
        window.encoded = made[0].encoded
        for place, plan in enumerate(wanting):
            if place in made[0].failures:
                plan.source = None
                window.failures.append(Failure.of(plan.document, made[0].failures[place]))
                continue
            for target, values in zip(self._targets, made, strict=True):
                if target.name in plan.wanted and plan.source is not None:
                    value, note = values.values[place], plan.wanted[target.name]
                    plan.source = with_vector(plan.source, target, value, note)

    def _add(self, plan: Plan, source: Mapping[str, Any], absent: bool, window: Window) -> None:
        verb = "index" if self._replace else "create"
        document = plan.document
        try:
            write = Write.of(self._client, verb, document.id, source, absent)
        except ValueError as error:
            window.failures.append(Failure.of(document, error))
            return
        window.ready.append(Ready(document, write, plan.missing, plan.vector))


def _require_free_names(document: Document) -> None:
    """Raises UnusableDocument where something else than notes has their name."""
    notes = document.fields.get(NOTES)
    if notes is not None and not isinstance(notes, Mapping):
        raise UnusableDocument(
            f"field {NOTES!r} is kept for notes of what a vector was made of; rename yours"
        )
