"""The index a bundle needs, and the pipeline that makes its vectors in the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import RequestError
from .kinds import WITHOUT_CHUNKS, field_for_kind
from .notes import NOTES, NOTES_MAPPING
from .paths import mapping_at
from .provenance import meta_of
from .reading import Reading
from .text_rule import Modality

FIELD = "embedding"
"""The vector field of an index, unless another is named."""
CHUNKED_FIELD = "passages.vector"
"""The same where a document has a vector for each chunk."""

BM25 = {"type": "BM25", "k1": 0.9, "b": 0.4}
"""Anserini's parameters, so that BM25 here and there can be compared."""

_ALL_INPUTS = "densehook_text"
_NAMES: Mapping[str, dict[str, Any]] = {
    "section": {"type": "keyword"},
    "item": {"type": "integer"},
}
"""Mappings of what chunks have the names of their parts in."""

_HELD: Mapping[Modality, Mapping[str, Any]] = {
    "image": {"type": "binary"},
    "numbers": {"type": "object", "enabled": False},
}
"""Mappings of what is no text: in the source as it was sent, and not indexed."""

_METADATA: Mapping[str, Any] = {"dynamic": "runtime", "date_detection": False}
"""How fields are mapped that are neither input nor vector: none keeps a document out.

Elasticsearch otherwise maps a field by its first value, and refuses documents with another kind of
value there. As a runtime field it is read from ``_source`` by the queries that name it, and where
it is something else it is passed over.
"""
_METADATA_SETTINGS: Mapping[str, Any] = {
    "index.mapping.total_fields.ignore_dynamic_beyond_limit": True
}


def index_request(
    manifest: Manifest,
    reading: Reading,
    *,
    index_type: str | None = None,
    shards: int = 1,
    replicas: int = 0,
    field: str = FIELD,
    analysis: Mapping[str, Any] | None = None,
    pipeline: str | None = None,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Body of the request that creates an index for this encoder's vectors.

    BM25 searches the only input field, or one field into which several are copied, and what is put
    before chunks, since BM25 over title and text together is not the sum of BM25 over each.
    ``analysis`` are the settings of an analyzer named ``densehook``. With ``pipeline``, the
    cluster's plugin makes the vectors: that is the index's default pipeline, and what passes by it
    is embedded by the index's own setting.
    Vectors of chunks lie in nested objects at the path that leads to the field. Of what is no text
    nothing but the vector is indexed. ``beside`` are the mappings, by name, of fields that the same
    run of the encoder fills. The names have been through ``require_field_names``.
    """
    text = {"type": "text", "analyzer": "densehook", "similarity": "densehook"}
    properties: dict[str, Any] = {NOTES: dict(NOTES_MAPPING)}
    searched = reading.searched
    bm25_field: str | None = None
    if reading.modality in _HELD:
        place(properties, searched[0], _HELD[reading.modality])
    elif len(searched) == 1:
        bm25_field = searched[0]
        place(properties, bm25_field, text)
    else:
        bm25_field = _ALL_INPUTS
        for name in searched:
            place(properties, name, {**text, "copy_to": bm25_field})
        properties[bm25_field] = text
    for name in reading.wording.chosen_by:
        if not mapping_at(properties, name):
            place(properties, name, {"type": "keyword"})
    place(properties, *vector_mapping(manifest, index_type, field, reading.chunk))
    for name, mapping in (beside or {}).items():
        place(properties, name, mapping)
    names = [field, *(beside or {})]
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "similarity": {"densehook": BM25},
            "analysis": analysis or STANDARD_ANALYSIS,
            **_METADATA_SETTINGS,
            **({} if pipeline is None else _in_cluster(pipeline)),
        },
        "mappings": {
            "_meta": meta_of(manifest, names, reading, bm25_field),
            **_METADATA,
            "properties": properties,
        },
    }


def vector_mapping(
    manifest: Manifest, index_type: str | None, field: str, chunk: ChunkRule | None
) -> tuple[str, dict[str, Any]]:
    """What is mapped for a vector field, and where.

    Raises RequestError for chunks of a kind that has none.
    """
    kind = field_for_kind(manifest)
    vector = kind.mapping(manifest, require_index_type(manifest, index_type))
    if chunk is None:
        return field, vector
    if (reason := WITHOUT_CHUNKS.get(manifest.kind)) is not None:
        raise RequestError(f"field {field!r} of encoder {manifest.name!r} {reason}")
    path, _, leaf = field.rpartition(".")
    offset = {"type": "integer", "index": False}
    properties = {"start": offset, "end": offset, leaf: vector}
    if chunk.name_key is not None:
        properties[chunk.name_key] = dict(_NAMES[chunk.name_key])
    return path, {"type": "nested", "properties": properties}


def field_for(chunk: ChunkRule | None) -> str:
    """The name of a vector field, unless another is chosen."""
    return FIELD if chunk is None else CHUNKED_FIELD


def require_index_type(manifest: Manifest, index_type: str | None) -> str:
    """How this encoder's fields are indexed, by default in the usual way of its kind.

    Raises RequestError for a way that they cannot be.
    """
    known = field_for_kind(manifest).INDEX_TYPES
    if index_type is None:
        return known[0]
    if index_type not in known:
        raise RequestError(f"index type {index_type!r} is unknown; known: {', '.join(known)}")
    return index_type


def require_field_names(inputs: Sequence[str], field: str, chunk: ChunkRule | None = None) -> None:
    """Raises RequestError unless these inputs and this vector field can be fields of one index."""
    path, _, leaf = field.rpartition(".")
    if chunk is not None and (not path or leaf in ("start", "end", *_NAMES)):
        raise RequestError(
            f"vector field {field!r} is to lie in an object for each chunk, beside its start and"
            f" end; name it like {CHUNKED_FIELD}"
        )
    names = [*inputs, field]
    if not inputs or len(set(names)) < len(names):
        raise RequestError(
            f"inputs {', '.join(inputs) or '(none)'} must be different text fields,"
            f" none of them the vector field {field!r}"
        )
    for name in names:
        if not all(part.strip() for part in name.split(".")):
            raise RequestError(f"{name!r} is no name of a field; write it like title or meta.title")
        if name.partition(".")[0] in (NOTES, _ALL_INPUTS):
            raise RequestError(f"field {name!r} has a name that densehook keeps for itself; rename")
        for inner in names:
            if inner.startswith(f"{name}."):
                raise RequestError(
                    f"field {name!r} cannot hold a value and the field {inner!r} within it; an"
                    " index maps one or the other"
                )


def _in_cluster(pipeline: str) -> dict[str, Any]:
    # Elasticsearch runs no pipeline for the partial documents of a bulk: without the setting an
    # update would leave the vector of the earlier text
    return {"index.default_pipeline": pipeline, "index.densehook.embed": True}


STANDARD_ANALYSIS: Mapping[str, Any] = {
    "analyzer": {"densehook": {"type": "standard", "stopwords": "_english_"}}
}
"""What every Elasticsearch distribution has; no stemming."""

LUCENE_ENGLISH_ANALYSIS: Mapping[str, Any] = {
    "analyzer": {"densehook": {"type": "densehook_english"}}
}
"""Lucene's EnglishAnalyzer, as Anserini has it; the plugin brings it."""

ENGLISH_ANALYSIS: Mapping[str, Any] = {"analyzer": {"densehook": {"type": "english"}}}
"""Elasticsearch's own English analyzer, where the distribution has it."""


def pipeline_name(index: str) -> str:
    """The ingest pipeline that makes an index's vectors in the cluster."""
    return f"densehook-{index}"


def pipeline_request(manifest: Manifest, reading: Reading, fields: Sequence[str]) -> dict[str, Any]:
    """Body of the request that creates that pipeline; the plugin's processor does the work.

    An input may be missing, as in ``text_of``; a vector that a document brings is made anew. Of
    several ``fields`` each has a processor, and what one run gives is made once.
    """
    processor = {
        "encoder": manifest.name,
        "input": list(reading.inputs),
        "ignore_missing": True,
        **reading.stated,
    }
    return {
        "description": f"vectors of {', '.join(reading.inputs)} by {manifest.name}",
        "processors": [{"densehook": {**processor, "output": field}} for field in fields],
    }


def place(properties: dict[str, Any], path: str, mapping: Mapping[str, Any]) -> None:
    """Puts a field's mapping at its path; ``a.b`` is field b of object a."""
    head, _, rest = path.partition(".")
    if rest:
        inner = properties.setdefault(head, {"properties": {}})["properties"]
        place(inner, rest, mapping)
    else:
        properties[head] = mapping
