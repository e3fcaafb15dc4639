"""Provenance: which encoder made a vector field's vectors, from which inputs.

It lives in the index mapping's ``_meta``, where the vectors live, so it goes wherever they go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..bundle import Manifest
from ..chunk import Chunk, ChunkRule
from ..errors import EncoderMismatch, NoProvenance, RequestError
from ..fusion import LearnedWeights
from .kinds import FIELDS
from .paths import mapping_at, value_at

META = "densehook"

_LEFT_OUT = {"ignore_above", "ignore_malformed"}
"""Parameters of a field by which a value may be in a document and not in the index."""


@dataclass(frozen=True)
class VectorField:
    """One vector field of an index, with its own mapping; empty where it is not mapped.

    With ``chunk`` a document has a vector for each chunk of its text, in a nested object with the
    chunk's ``start`` and ``end``. ``weights`` are those that were learned for its fusion with BM25,
    if any. ``others`` are the same field by each other encoder, where one name stands for indices
    of several. ``findable`` says that a query can tell which documents have something in an input.
    """

    name: str
    inputs: Sequence[str]
    encoder: str
    fingerprint: str
    mapping: Mapping[str, Any]
    weights: LearnedWeights | None = None
    chunk: ChunkRule | None = None
    others: Sequence[VectorField] = ()
    findable: bool = True

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
        return [
            {"start": span.start, "end": span.end, leaf: vector}
            for span, vector in zip(spans, vectors, strict=True)
        ]

    def with_vectors(self, value: Any, vectors: Sequence[Any]) -> Any:
        """What a document has for it, with its vectors written otherwise."""
        if self.chunk is None:
            return vectors[0]
        chunks = value if isinstance(value, list) else [value]
        return self.value_of([Chunk(each["start"], each["end"]) for each in chunks], vectors)

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
            and all(isinstance(each, list | str) for each in self.vectors_of(value))
        )

    def require_whole(self, index: str, what: str) -> None:
        """Raises RequestError for a field of chunks, of which ``what`` cannot be had."""
        if self.chunk is not None:
            raise RequestError(
                f"field {self.name!r} of index {index!r} has a vector for each chunk of a document,"
                f" {what} needs one for each document; make another index, without chunks"
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
        if manifest.fingerprint != self.fingerprint:
            raise EncoderMismatch(
                f"field {self.name!r} of index {index!r} holds vectors of encoder {self.encoder!r}"
                f" ({short(self.fingerprint)}), not of {manifest.name!r}"
                f" ({short(manifest.fingerprint)}); use that encoder, or create another index"
            )

    def _objection(self, manifest: Manifest) -> str:
        kind = FIELDS[manifest.kind]
        if self.mapping.get("type") != kind.TYPE:
            return (
                f"is mapped as {self.mapping.get('type')}, encoder {manifest.name!r} of kind"
                f" {manifest.kind} writes {kind.TYPE}"
            )
        return kind.objection(self.mapping, manifest)


@dataclass(frozen=True)
class Provenance:
    """What an index says of its fields: its vector fields, and those that BM25 searches, if any.

    ``in_cluster`` says that the cluster itself makes the vectors, by the plugin. ``covered`` are
    the indices, where ``index`` is a name that stands for several.
    """

    index: str
    vector_fields: Mapping[str, VectorField]
    bm25_fields: Sequence[str]
    in_cluster: bool = False
    covered: Sequence[str] = ()

    def require_one_index(self) -> None:
        """Raises RequestError where the name stands for several, which can only be searched."""
        if self.covered:
            raise RequestError(
                f"{self.index!r} stands for {', '.join(self.covered)}; name one index"
            )

    def require_bm25(self) -> Sequence[str]:
        """The fields that BM25 searches; raises RequestError when there are none."""
        if not self.bm25_fields:
            raise RequestError(
                f"index {self.index!r} names no field for BM25; search it by dense, or name its"
                " text fields as bm25 in its mapping's _meta.densehook"
            )
        return self.bm25_fields

    def vector_field(self, name: str | None = None) -> VectorField:
        """The named vector field, or the only one; raises RequestError when there is no such."""
        known = ", ".join(self.vector_fields)
        if name is None and len(self.vector_fields) > 1:
            raise RequestError(
                f"index {self.index!r} has several vector fields ({known}); name one"
            )
        chosen = name or known
        if chosen not in self.vector_fields:
            raise RequestError(
                f"index {self.index!r} has no vector field {chosen!r}; it has {known}"
            )
        return self.vector_fields[chosen]


def meta_of(
    manifest: Manifest,
    field: str,
    inputs: Sequence[str],
    bm25_field: str,
    chunk: ChunkRule | None = None,
) -> dict[str, Any]:
    """The mapping's ``_meta`` for one vector field."""
    return {META: {"fields": {field: _entry(manifest, inputs, chunk)}, "bm25": bm25_field}}


def field_meta(
    meta: Mapping[str, Any], manifest: Manifest, field: str, inputs: Sequence[str]
) -> dict[str, Any]:
    """A mapping's ``_meta`` with one vector field more.

    BM25 searches its inputs, each for itself, unless the mapping names others.
    """
    densehook = _object(meta.get(META))
    fields = {**_object(densehook.get("fields")), field: _entry(manifest, inputs)}
    return {**meta, META: {"bm25": list(inputs), **densehook, "fields": fields}}


def _entry(
    manifest: Manifest, inputs: Sequence[str], chunk: ChunkRule | None = None
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "input": list(inputs),
        "encoder": manifest.name,
        "fingerprint": manifest.fingerprint,
    }
    if chunk is not None:
        entry["chunk"] = chunk.as_json()
    return entry


def read_provenance(
    index: str, mapping: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> Provenance:
    """Parses an index's mapping, and its settings where they are known.

    Raises NoProvenance when densehook did not write the mapping's ``_meta``.
    """
    meta = _object(_object(mapping.get("_meta")).get(META))
    properties = _object(mapping.get("properties"))
    fields = {
        name: VectorField(
            name,
            _names(entry.get("input")),
            entry["encoder"],
            entry["fingerprint"],
            mapping_at(properties, name),
            _weights(entry.get("weights")),
            ChunkRule.parse(entry["chunk"]) if "chunk" in entry else None,
            findable=all(_is_findable(mapping, each) for each in _names(entry.get("input"))),
        )
        for name, entry in _object(meta.get("fields")).items()
        if _is_complete(entry) and _takes_chunks(properties, name, entry)
    }
    if not fields:
        raise NoProvenance(
            f"index {index!r} does not say which encoder its vectors come from (no densehook entry"
            " in its mapping's _meta); make one with: densehook create"
        )
    return Provenance(index, fields, _names(meta.get("bm25")), _in_cluster(settings or {}))


def searched_together(name: str, provenances: Sequence[Provenance]) -> Provenance:
    """What several indices say that one name stands for; of one index, what that says."""
    if len(provenances) == 1:
        return provenances[0]
    fields: dict[str, dict[str, VectorField]] = {}
    for provenance in provenances:
        for field in provenance.vector_fields.values():
            fields.setdefault(field.name, {}).setdefault(field.fingerprint, field)
    vectors = {
        field: replace(first, others=tuple(others))
        for field, (first, *others) in ((each, by.values()) for each, by in fields.items())
    }
    bm25 = dict.fromkeys(field for each in provenances for field in each.bm25_fields)
    return Provenance(
        name,
        vectors,
        tuple(bm25),
        all(each.in_cluster for each in provenances),
        tuple(each.index for each in provenances),
    )


def with_weights(
    meta: Mapping[str, Any], field: str, weights: LearnedWeights | None
) -> dict[str, Any]:
    """A mapping's ``_meta`` with learned weights in a vector field's entry, or without."""
    densehook = meta[META]
    entry = {name: each for name, each in densehook["fields"][field].items() if name != "weights"}
    if weights is not None:
        entry["weights"] = weights.as_json()
    return {**meta, META: {**densehook, "fields": {**densehook["fields"], field: entry}}}


def _weights(stated: Any) -> LearnedWeights | None:
    """Weights that are stated whole; others the node takes no notice of, either."""
    try:
        return None if stated is None else LearnedWeights.parse(stated)
    except RequestError:
        return None


def _is_complete(entry: Any) -> bool:
    """Whether it says whose vectors a field has; the node takes no notice of others either."""
    entry = _object(entry)
    return isinstance(entry.get("encoder"), str) and isinstance(entry.get("fingerprint"), str)


def _takes_chunks(properties: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a field of chunks has a nested object for each, and a rule that can be."""
    if "chunk" not in entry:
        return True
    try:
        ChunkRule.parse(entry["chunk"])
    except RequestError:
        return False
    return mapping_at(properties, name.rpartition(".")[0]).get("type") == "nested"


def _is_findable(mapping: Mapping[str, Any], name: str) -> bool:
    """Whether ``exists`` finds the documents that have something in a field."""
    if name in _object(mapping.get("runtime")):
        return True
    mapped = mapping_at(_object(mapping.get("properties")), name)
    unsearched = mapped.get("index") is False and (
        mapped.get("type") == "text" or mapped.get("doc_values") is False
    )
    return bool(mapped) and not unsearched and not mapped.keys() & _LEFT_OUT


def _names(stated: Any) -> tuple[str, ...]:
    """A field's name or a list of names, as ``_meta`` may state either."""
    names = stated if isinstance(stated, list) else [stated]
    return tuple(name for name in names if isinstance(name, str))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _in_cluster(settings: Mapping[str, Any]) -> bool:
    of_index = settings.get("index", {})
    pipeline = str(of_index.get("default_pipeline", ""))
    embed = _object(of_index.get(META)).get("embed", "false")
    return pipeline.startswith(f"{META}-") or embed == "true"


def short(fingerprint: str) -> str:
    """A fingerprint as people compare it: ``sha256:`` and eight digits."""
    return fingerprint[: len("sha256:") + 8]
