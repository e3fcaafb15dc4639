"""A vector field: whose vectors it has, of which texts, and how a document holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from ..bundle import Manifest
from ..chunk import Chunk, ChunkRule
from ..errors import EncoderMismatch, RequestError
from ..fusion import LearnedWeights
from .kinds import Field, field_for_kind, format_of, kind_for
from .kinds.multi import TokenField
from .paths import value_at
from .text_rule import TextRule, modality_objection


class _OfKinds(Protocol):
    @property
    def manifest(self) -> Manifest: ...

    def of_kind(self, kind: str) -> Self: ...


OneOfKinds = TypeVar("OneOfKinds", bound=_OfKinds)


@dataclass(frozen=True)
class VectorField:
    """One vector field of an index, with its own mapping; empty where it is not mapped.

    ``text`` is how a document's text is made. With ``chunk`` a document has a vector for each chunk
    of it, in a nested object with the chunk's ``start`` and ``end``. ``weights`` are those that
    were learned for its fusion with BM25, if any. ``others`` are the same field by each other
    encoder, where one name stands for indices of several. ``findable`` says that a query can tell
    which documents have something in an input.
    """

    name: str
    text: TextRule
    encoder: str
    fingerprint: str
    mapping: Mapping[str, Any]
    weights: LearnedWeights | None = None
    chunk: ChunkRule | None = None
    others: Sequence[VectorField] = ()
    findable: bool = True

    @property
    def inputs(self) -> Sequence[str]:
        """The fields that its texts are made of, as they are stated."""
        return self.text.names

    @property
    def format(self) -> Field:
        """How documents hold its values."""
        return format_of(self.mapping)

    @property
    def path(self) -> str:
        """Path of what belongs to it in a document: the vector, or the objects of its chunks."""
        return self.name if self.chunk is None else self.name.rpartition(".")[0]

    def value_in(self, fields: Mapping[str, Any]) -> Any:
        """What a document has for it; None for nothing, and for objects that are no chunks."""
        value = value_at(fields, self.path)
        return value if self.chunk is None or self._are_chunks(value) else None

    def vectors_of(self, value: Any) -> Sequence[Any]:
        """The vectors, as they are written, of what a document has for it."""
        if self.chunk is None:
            return [value]
        leaf = self.name.rpartition(".")[2]
        return [each.get(leaf) for each in (value if isinstance(value, list) else [value])]

    def value_of(self, spans: Sequence[Chunk], vectors: Sequence[Any]) -> Any:
        """What a document is to have: its vector, or an object for each chunk."""
        if self.chunk is None:
            return vectors[0]
        leaf = self.name.rpartition(".")[2]
        key = self.chunk.name_key
        return [
            {
                "start": span.start,
                "end": span.end,
                **({} if key is None else {key: span.name}),
                leaf: vector,
            }
            for span, vector in zip(spans, vectors, strict=True)
        ]

    def with_vectors(self, value: Any, vectors: Sequence[Any]) -> Any:
        """What a document has for it, with its vectors written otherwise."""
        if self.chunk is None:
            return vectors[0]
        leaf = self.name.rpartition(".")[2]
        chunks = value if isinstance(value, list) else [value]
        return [{**each, leaf: vector} for each, vector in zip(chunks, vectors, strict=True)]

    def _are_chunks(self, value: Any) -> bool:
        chunks = value if isinstance(value, list) else [value]
        return (
            bool(chunks)
            and all(
                isinstance(each, Mapping)
                and isinstance(each.get("start"), int)
                and isinstance(each.get("end"), int)
                for each in chunks
            )
            and all(isinstance(each, list | str | Mapping) for each in self.vectors_of(value))
        )

    def require_whole(self, index: str, what: str) -> None:
        """Raises RequestError for a field of chunks, of which ``what`` cannot be had."""
        if self.chunk is not None:
            raise RequestError(
                f"field {self.name!r} of index {index!r} has a vector for each chunk of a document,"
                f" {what} needs one for each document; make another index, without chunks"
            )

    def require_tokens(self, index: str) -> None:
        """Raises RequestError for a field of other values than token vectors."""
        if not isinstance(self.format, TokenField):
            raise RequestError(
                f"field {self.name!r} of index {index!r} is mapped as {self.mapping.get('type')};"
                f" maxsim needs token vectors, in a field mapped as {TokenField.TYPE}: name another"
                " field, or search by dense or hybrid"
            )

    @property
    def encoders(self) -> Sequence[VectorField]:
        """The field by each of its encoders; itself, where it has one."""
        return (self, *self.others)

    def require_one_encoder(self, index: str) -> None:
        """Raises EncoderMismatch where a search needs several, which the cluster alone can use."""
        if self.others:
            names = ", ".join(sorted(field.encoder for field in self.encoders))
            raise EncoderMismatch(
                f"field {self.name!r} of the indices of {index!r} has vectors of several encoders"
                f" ({names}); they are searched together only by a cluster that has all of them in"
                " service: put their bundles into config/densehook of each node, or name one index"
            )

    def require_weights(self, index: str) -> LearnedWeights:
        """The learned weights; raises RequestError when there are none."""
        if self.weights is None:
            raise RequestError(
                f"field {self.name!r} of index {index!r} has no learned weights; learn them with"
                " densehook optimise --query-wise, which keeps them only where they are better"
            )
        return self.weights

    def require(self, manifest: Manifest, index: str) -> None:
        """Raises EncoderMismatch unless the encoder is the one the field was made for."""
        self.require_one_encoder(index)
        if self.mapping and (objection := self._objection(manifest)):
            raise EncoderMismatch(
                f"field {self.name!r} of index {index!r} {objection}; use the encoder"
                f" {self.encoder!r}"
            )
        if manifest.space != self.fingerprint:
            raise EncoderMismatch(
                f"field {self.name!r} of index {index!r} holds vectors of encoder {self.encoder!r}"
                f" ({short(self.fingerprint)}), not of {manifest.name!r}"
                f" ({short(manifest.space)}); use that encoder, or create another index"
            )

    def own(self, encoder: OneOfKinds) -> OneOfKinds:
        """The encoder as that of this field's kind, where it gives several."""
        return encoder.of_kind(kind_for(self.mapping, encoder.manifest))

    def are_of_one_run(self, fields: Sequence[VectorField]) -> bool:
        """Whether one run of its encoder fills the fields with this one: each of another kind."""
        every = [self, *fields]
        return len({each.format.LIST for each in every}) == len(every) and all(
            (each.fingerprint, each.text) == (self.fingerprint, self.text)
            and each.chunk is None
            and not each.others
            for each in every
        )

    def beside(self, fields: Iterable[VectorField], manifest: Manifest) -> list[VectorField]:
        """Those of the fields that one run of the encoder fills with this one.

        They have another of its kinds, made of the same text as a whole.
        """
        found = {kind_for(self.mapping, manifest): self}
        for field in fields:
            alike = (field.fingerprint, field.text) == (self.fingerprint, self.text)
            if alike and field.chunk is None and self.chunk is None:
                found.setdefault(kind_for(field.mapping, manifest), field)
        return [field for field in found.values() if field is not self]

    def _objection(self, manifest: Manifest) -> str:
        manifest = manifest.of_kind(kind_for(self.mapping, manifest))
        kind = field_for_kind(manifest)
        if reason := modality_objection(self.text.modality, manifest):
            return reason
        if self.mapping.get("type") != kind.TYPE:
            return (
                f"is mapped as {self.mapping.get('type')}, encoder {manifest.name!r} of kind"
                f" {manifest.kind} writes {kind.TYPE}"
            )
        return kind.objection(self.mapping, manifest)


def short(fingerprint: str) -> str:
    """A fingerprint as people compare it: ``sha256:`` and eight digits."""
    return fingerprint[: len("sha256:") + 8]
