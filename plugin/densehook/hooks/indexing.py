"""The index a bundle needs, and the text a document gives to its encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..bundle import Manifest
from ..types import Document
from .provenance import meta_of

INDEX_TYPES = ("hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "flat")

BM25 = {"type": "BM25", "k1": 0.9, "b": 0.4}
"""Anserini's parameters, so that BM25 here and there can be compared."""

_ALL_INPUTS = "densehook_text"


class UnusableDocument(Exception):
    """A document that cannot be given a vector; a value of the feed, never its end."""


def index_request(
    manifest: Manifest,
    *,
    inputs: Sequence[str],
    index_type: str = "hnsw",
    shards: int = 1,
    replicas: int = 0,
    field: str = "embedding",
    analysis: Mapping[str, Any] | None = None,
    pipeline: str | None = None,
) -> dict[str, Any]:
    """Body of the request that creates an index for this encoder's vectors.

    BM25 searches the only input field, or one field into which several are copied, since BM25 over
    title and text together is not the sum of BM25 over each. ``analysis`` are the settings of an
    analyzer named ``densehook``. With ``pipeline``, the cluster's plugin makes the vectors: that is
    the index's default pipeline, and what passes by it is embedded by the index's own setting.
    """
    text = {"type": "text", "analyzer": "densehook", "similarity": "densehook"}
    properties: dict[str, Any] = {}
    if len(inputs) == 1:
        bm25_field = inputs[0]
        _place(properties, bm25_field, text)
    else:
        bm25_field = _ALL_INPUTS
        for name in inputs:
            _place(properties, name, {**text, "copy_to": bm25_field})
        properties[bm25_field] = text
    properties[field] = {
        "type": "dense_vector",
        "dims": manifest.dims,
        "index": True,
        "similarity": manifest.similarity,
        "index_options": {"type": index_type},
    }
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "similarity": {"densehook": BM25},
            "analysis": analysis or STANDARD_ANALYSIS,
            **({} if pipeline is None else _in_cluster(pipeline)),
        },
        "mappings": {
            "_meta": meta_of(manifest, field, inputs, bm25_field),
            "properties": properties,
        },
    }


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


def pipeline_request(manifest: Manifest, *, inputs: Sequence[str], field: str) -> dict[str, Any]:
    """Body of the request that creates that pipeline; the plugin's processor does the work.

    An input may be missing, as in ``text_of``; a vector that a document brings is made anew.
    """
    processor = {
        "encoder": manifest.name,
        "input": list(inputs),
        "output": field,
        "ignore_missing": True,
    }
    return {
        "description": f"vectors of {', '.join(inputs)} by {manifest.name}",
        "processors": [{"densehook": processor}],
    }


def text_of(
    document: Document, inputs: Sequence[str], join: Callable[[Sequence[str]], str]
) -> tuple[str, list[str]]:
    """The text to encode, and the input fields that gave nothing to it.

    ``join`` is the encoder's: ``manifest.join``.

    A field is a string, a number, or a list of these; ``a.b`` is a path, as in Elasticsearch.
    Raises UnusableDocument when no field gives any text, or one is an object.
    """
    parts = [join(list(_texts(name, _value(document.fields, name)))) for name in inputs]
    missing = [name for name, part in zip(inputs, parts, strict=True) if not part]
    if len(missing) == len(inputs):
        raise UnusableDocument(f"no text in its input fields {', '.join(inputs)}")
    return join(parts), missing


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(name, item)
    elif isinstance(value, dict):
        raise UnusableDocument(f"input field {name!r} is an object, not text")
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def _value(fields: Mapping[str, Any], path: str) -> Any:
    if path in fields:
        return fields[path]
    head, _, rest = path.partition(".")
    inner = fields.get(head)
    return _value(inner, rest) if rest and isinstance(inner, Mapping) else None


def _place(properties: dict[str, Any], path: str, mapping: dict[str, Any]) -> None:
    """Puts a field's mapping at its path; ``a.b`` is field b of object a."""
    head, _, rest = path.partition(".")
    if rest:
        inner = properties.setdefault(head, {"properties": {}})["properties"]
        _place(inner, rest, mapping)
    else:
        properties[head] = mapping
