"""Provenance: which encoder made a vector field's vectors, from which inputs.

It lives in the index mapping's ``_meta``, where the vectors live, so it goes wherever they go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import NoProvenance, RequestError
from ..fusion import LearnedWeights
from .kept_source import has_source
from .kinds import VECTOR_LISTS
from .paths import is_disabled, is_nested, mapping_at, source_paths
from .prompts import DocumentPrompts
from .reading import Reading
from .template import TextTemplate
from .text_rule import MODALITIES, Input, TextRule
from .vector_field import VectorField

META = "densehook"

_ABOVE, _MALFORMED = "ignore_above", "ignore_malformed"
"""Parameters of a field by which a value may be in a document and not in the index."""
_KEYWORDS = ("keyword", "constant_keyword", "wildcard", "flattened")
"""Types of which an index's setting may say how long a value may be."""
_NEVER_MALFORMED = (*_KEYWORDS, "text", "match_only_text", "search_as_you_type")
"""Types to which any value is well formed that is none of an object."""


@dataclass(frozen=True)
class Provenance:
    """What an index says of its fields: its vector fields, and those that BM25 searches, if any.

    ``in_cluster`` says that the cluster itself makes the vectors, by the plugin. ``covered`` are
    the indices, where ``index`` is a name that stands for several. ``sourceless`` says that one
    keeps nothing of its documents that could be shown.
    """

    index: str
    vector_fields: Mapping[str, VectorField]
    bm25_fields: Sequence[str]
    in_cluster: bool = False
    covered: Sequence[str] = ()
    sourceless: bool = False

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

    def searched_fields(self, name: str | None = None) -> list[VectorField]:
        """The named vector field, or the only one, or those that one run of an encoder fills.

        The last are in the order of dense, sparse and token vectors. Raises RequestError where
        there is no such field, or several that do not belong together.
        """
        fields = list(self.vector_fields.values())
        if name is None and len(fields) > 1 and fields[0].are_of_one_run(fields[1:]):
            return sorted(fields, key=lambda each: VECTOR_LISTS.index(each.format.LIST))
        return [self.vector_field(name)]

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
    manifest: Manifest, fields: Sequence[str], reading: Reading, bm25_field: str | None
) -> dict[str, Any]:
    """The mapping's ``_meta`` for vector fields of one encoder, which read the same.

    ``bm25_field`` is None where none has text.
    """
    entry = _entry(manifest, reading)
    searched = {} if bm25_field is None else {"bm25": bm25_field}
    return {META: {"fields": {field: dict(entry) for field in fields}, **searched}}


def field_meta(
    meta: Mapping[str, Any], manifest: Manifest, field: str, reading: Reading
) -> dict[str, Any]:
    """A mapping's ``_meta`` with one vector field more.

    What it states already of how the text of these inputs is made stays, where their ``wording``
    says nothing else. BM25 searches the inputs, each for itself, unless the mapping names others,
    or they hold no texts.
    """
    densehook = _object(meta.get(META))
    known = _object(densehook.get("fields"))
    stated = _object(known.get(field))
    same = _names(stated.get("input")) == tuple(reading.inputs)
    kept = {key: stated[key] for key in ("template", "prompt") if same and key in stated}
    fields = {**known, field: {**kept, **_entry(manifest, reading)}}
    searched = {"bm25": list(reading.inputs)} if reading.modality == "text" else {}
    return {**meta, META: {**searched, **densehook, "fields": fields}}


def _entry(manifest: Manifest, reading: Reading) -> dict[str, Any]:
    chunk = {} if reading.chunk is None else {"chunk": reading.chunk.as_json()}
    return {
        "input": list(reading.inputs),
        "encoder": manifest.name,
        "fingerprint": manifest.space,
        **reading.stated,
        **chunk,
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
            text,
            entry["encoder"],
            entry["fingerprint"],
            mapping_at(properties, name),
            _weights(entry.get("weights")),
            ChunkRule.parse(entry["chunk"]) if "chunk" in entry else None,
            findable=all(_is_findable(mapping, settings or {}, each) for each in text.paths),
        )
        for name, entry in _object(meta.get("fields")).items()
        if _is_complete(entry)
        and _takes_chunks(properties, name, entry)
        and (text := _text(properties, entry))
    }
    if not fields:
        raise NoProvenance(
            f"index {index!r} does not say which encoder its vectors come from (no densehook entry"
            " in its mapping's _meta); make one with: densehook create"
        )
    return Provenance(
        index,
        fields,
        _names(meta.get("bm25")),
        _in_cluster(settings or {}),
        sourceless=not has_source(mapping, settings or {}),
    )


def searched_together(name: str, provenances: Sequence[Provenance]) -> Provenance:
    """What several indices say that one name stands for; of one index, what that says."""
    if len(provenances) == 1:
        return provenances[0]
    fields: dict[str, dict[tuple[str, bool], VectorField]] = {}
    for provenance in provenances:
        for field in provenance.vector_fields.values():
            key = field.fingerprint, field.chunk is None  # chunks are searched otherwise
            fields.setdefault(field.name, {}).setdefault(key, field)
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
        any(each.sourceless for each in provenances),
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


def _text(properties: Mapping[str, Any], entry: Mapping[str, Any]) -> TextRule | None:
    """How a field's text is made, each input read where documents have its values.

    None where a template, prompts or a modality are stated that cannot be.
    """
    names = _names(entry.get("input"))
    modality = entry.get("modality", "text")
    if modality not in MODALITIES:
        return None
    try:
        template = TextTemplate.parse(entry["template"], names) if "template" in entry else None
        prompts = DocumentPrompts.parse(entry["prompt"]) if "prompt" in entry else None
    except RequestError:
        return None

    def located(name: str) -> Input:
        return Input(name, source_paths(properties, name))

    chosen_by = None if prompts is None else located(prompts.field)
    chunk = ChunkRule.parse(entry["chunk"]) if "chunk" in entry else ChunkRule()
    return TextRule(
        tuple(map(located, names)),
        template,
        prompts,
        chosen_by,
        tuple(map(located, chunk.prefix)),
        modality,
    )


def _takes_chunks(properties: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a field of chunks has a nested object for each, and a rule that can be."""
    if "chunk" not in entry:
        return True
    try:
        ChunkRule.parse(entry["chunk"])
    except RequestError:
        return False
    return mapping_at(properties, name.rpartition(".")[0]).get("type") == "nested"


def _is_findable(mapping: Mapping[str, Any], settings: Mapping[str, Any], name: str) -> bool:
    """Whether ``exists`` finds the documents that have something in a field."""
    if name in _object(mapping.get("runtime")):
        return True
    properties = _object(mapping.get("properties"))
    mapped = mapping_at(properties, name)
    unsearched = mapped.get("index") is False and (
        mapped.get("type") == "text" or mapped.get("doc_values") is False
    )
    unkept = mapped.get("type") == "binary" and mapped.get("doc_values") is not True
    return (
        bool(mapped)
        and not unsearched
        and not unkept
        and not is_disabled(mapped)
        and not _may_leave_out(mapped, _object(settings.get("index")))
        and not is_nested(properties, name)
    )


def _may_leave_out(mapped: Mapping[str, Any], of_index: Mapping[str, Any]) -> bool:
    """Whether a field's values may be in a document and not in the index.

    What the field does not say itself, the index's settings do; one of logs has both unless they
    say otherwise.
    """
    kind = mapped.get("type")
    by_default = _object(of_index.get("mapping"))
    of_logs = of_index.get("mode") == "logsdb"
    above = mapped.get(_ABOVE)
    if above is None and kind in _KEYWORDS:
        above = by_default.get(_ABOVE) or (of_logs or None)
    malformed = mapped.get(_MALFORMED)
    if malformed is None and kind not in _NEVER_MALFORMED:
        malformed = by_default.get(_MALFORMED, of_logs)
    return above is not None or str(malformed).lower() == "true"


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
