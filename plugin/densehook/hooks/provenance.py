"""Provenance: which encoder made a vector field's vectors, from which inputs.

It lives in the index mapping's ``_meta``, where the vectors live, so it goes wherever they go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bundle import Manifest
from ..errors import EncoderMismatch, NoProvenance, RequestError
from ..fusion import LearnedWeights
from .kinds import FIELDS
from .paths import mapping_at

META = "densehook"

_LEFT_OUT = {"ignore_above", "ignore_malformed"}
"""Parameters of a field by which a value may be in a document and not in the index."""


@dataclass(frozen=True)
class VectorField:
    """One vector field of an index, with its own mapping; empty where it is not mapped.

    ``weights`` are those that were learned for its fusion with BM25, if any. ``findable`` says that
    a query can tell which documents have something in an input.
    """

    name: str
    inputs: Sequence[str]
    encoder: str
    fingerprint: str
    mapping: Mapping[str, Any]
    weights: LearnedWeights | None = None
    findable: bool = True

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

    ``in_cluster`` says that the cluster itself makes the vectors, by the plugin.
    """

    index: str
    vector_fields: Mapping[str, VectorField]
    bm25_fields: Sequence[str]
    in_cluster: bool = False

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
    manifest: Manifest, field: str, inputs: Sequence[str], bm25_field: str
) -> dict[str, Any]:
    """The mapping's ``_meta`` for one vector field."""
    return {META: {"fields": {field: _entry(manifest, inputs)}, "bm25": bm25_field}}


def field_meta(
    meta: Mapping[str, Any], manifest: Manifest, field: str, inputs: Sequence[str]
) -> dict[str, Any]:
    """A mapping's ``_meta`` with one vector field more.

    BM25 searches its inputs, each for itself, unless the mapping names others.
    """
    densehook = _object(meta.get(META))
    fields = {**_object(densehook.get("fields")), field: _entry(manifest, inputs)}
    return {**meta, META: {"bm25": list(inputs), **densehook, "fields": fields}}


def _entry(manifest: Manifest, inputs: Sequence[str]) -> dict[str, Any]:
    return {
        "input": list(inputs),
        "encoder": manifest.name,
        "fingerprint": manifest.fingerprint,
    }


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
            all(_is_findable(mapping, each) for each in _names(entry.get("input"))),
        )
        for name, entry in _object(meta.get("fields")).items()
        if _is_complete(entry)
    }
    if not fields:
        raise NoProvenance(
            f"index {index!r} does not say which encoder its vectors come from (no densehook entry"
            " in its mapping's _meta); make one with: densehook create"
        )
    return Provenance(index, fields, _names(meta.get("bm25")), _in_cluster(settings or {}))


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
