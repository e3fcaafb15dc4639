"""What may be wrong with a cluster and its indices, each said in a line, with what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from elasticsearch import Elasticsearch

from .._version import __version__
from ..errors import ClusterUnavailable, ElasticError, IndexNotFound, NoProvenance
from ..hooks import Provenance, VectorField, read_provenance, short
from ..hooks.provenance import META
from .cluster import READY, NodeEncoder, encoders_of
from .connect import elastic_errors
from .coverage import (
    ChunkCounts,
    Coverage,
    TextCounts,
    count_chunks,
    count_texts,
    coverage_of,
    is_cut,
)

OLDEST = (8, 18)
"""The oldest Elasticsearch that densehook is made for."""

_PLUGIN = "densehook"
_WHY_NO_PLACE = "curl CLUSTER/_cluster/allocation/explain says why a shard has no place"
_WORKING_ROLES = ("ingest", "data", "data_hot", "data_content", "data_warm", "data_cold")


class State(Enum):
    """How a finding is to be taken."""

    GOOD = "good"
    NOTE = "note"
    """Works, and somebody should know."""
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was seen, and what mends it where that is wrong.

    ``to_embed`` names an index and its vector field where embedding in place mends it.
    """

    state: State
    subject: str
    seen: str
    mend: str = ""
    to_embed: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Cluster:
    """What the checks are told; ``encoders`` is None where no node has the plugin."""

    client: Elasticsearch
    encoders: Sequence[NodeEncoder] | None
    indices: Mapping[str, Mapping[str, Any]]


def checked(client: Elasticsearch, index: str = "*", *, texts: bool = False) -> Iterator[Finding]:
    """Looks at the cluster and at those of the named indices that have vectors of ours.

    With ``texts`` every document is read, for vectors that were made of another text. A check that
    may not be made, for want of a privilege, is a finding that says so. Raises ClusterUnreachable,
    NotElasticsearch.
    """
    yield from _allowed("cluster", lambda: _cluster(client))
    yield from _allowed("licence", lambda: _licence(client))
    yield from _allowed("plugin", lambda: _plugins(client))
    encoders: Sequence[NodeEncoder] | None = None
    try:
        encoders = encoders_of(client)
    except ElasticError as error:
        yield Finding(State.NOTE, "encoders", f"could not be asked for: {error}")
    yield from _encoders(encoders)
    yield from _allowed("indices", lambda: _indices(client, index, encoders, texts))


def _allowed(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except ElasticError as error:
        yield Finding(State.NOTE, subject, f"could not be asked for: {error}")


def _cluster(client: Elasticsearch) -> Iterator[Finding]:
    with elastic_errors(client):
        health = client.cluster.health()
        nodes = client.nodes.info(node_id="_all", metric="_none")["nodes"].values()
    versions = sorted({node["version"] for node in nodes})
    seen = (
        f"{health['cluster_name']}, Elasticsearch {' and '.join(versions)}, {len(nodes)} nodes,"
        f" {health['status']}"
    )
    if health["status"] == "red":
        yield Finding(State.BAD, "cluster", seen, _WHY_NO_PLACE)
    elif any(_release(version) < OLDEST for version in versions):
        mend = f"densehook is made for {OLDEST[0]}.{OLDEST[1]} and newer; upgrade"
        yield Finding(State.BAD, "cluster", seen, mend)
    else:
        yield Finding(State.GOOD, "cluster", seen)


def _licence(client: Elasticsearch) -> Iterator[Finding]:
    try:
        with elastic_errors(client):
            found = client.license.get()["license"]
    except ElasticError as error:
        # a distribution without x-pack has no licence, and no such endpoint
        if getattr(error.__cause__, "status_code", None) in (400, 404, 405):
            yield Finding(State.GOOD, "licence", "none: this distribution has no x-pack")
            return
        raise
    seen = f"{found['type']}, {found['status']}"
    if found["status"] == "active":
        yield Finding(State.GOOD, "licence", seen)
    else:
        mend = "densehook needs none; Elastic's own features do: POST _license/start_basic"
        yield Finding(State.NOTE, "licence", seen, mend)


def _plugins(client: Elasticsearch) -> Iterator[Finding]:
    with elastic_errors(client):
        nodes = client.nodes.info(node_id="_all", metric="plugins")["nodes"].values()
    working = [node for node in nodes if set(node.get("roles", ())) & set(_WORKING_ROLES)]
    versions = {node["name"]: _plugin_version(node) for node in working}
    without = sorted(name for name, version in versions.items() if version is None)
    there = sorted({version for version in versions.values() if version is not None})
    if not there:
        seen = "on no node: texts are encoded by the command or the program that asks"
        yield Finding(State.NOTE, "plugin", seen)
    elif without:
        yield Finding(
            State.BAD,
            "plugin",
            f"{', '.join(there)}; not on {', '.join(without)}",
            "bin/elasticsearch-plugin install file:///PATH/densehook-….zip there, and restart them",
        )
    elif len(there) > 1:
        yield Finding(State.NOTE, "plugin", f"of {len(there)} versions: {', '.join(there)}")
    elif there != [__version__]:
        seen = f"{there[0]} on {len(versions)} nodes, and this densehook is {__version__}"
        mend = f"pip install densehook=={there[0]}, or this densehook's zip on the nodes"
        yield Finding(State.NOTE, "plugin", seen, mend)
    else:
        yield Finding(State.GOOD, "plugin", f"{there[0]} on {len(versions)} nodes")


def _plugin_version(node: Mapping[str, Any]) -> str | None:
    found = [each["version"] for each in node.get("plugins", ()) if each["name"] == _PLUGIN]
    return str(found[0]) if found else None


def _encoders(encoders: Sequence[NodeEncoder] | None) -> Iterator[Finding]:
    for name in sorted({each.name for each in encoders or ()}):
        mine = [each for each in encoders or () if each.name == name]
        subject = f"encoder {name}"
        fingerprints = {each.fingerprint for each in mine if each.state == READY}
        troubled = [each for each in mine if each.state != READY]
        missing = sorted({e.node for e in encoders or ()} - {each.node for each in mine})
        reload = "POST _densehook/encoders/_reload"
        if troubled:
            first = troubled[0]
            seen = f"{first.state} on {first.node}: {first.reason or 'no reason given'}"
            yield Finding(State.BAD, subject, seen, f"put its bundle there again, then {reload}")
        elif len(fingerprints) > 1:
            seen = f"is another on other nodes: {', '.join(sorted(map(str, fingerprints)))}"
            yield Finding(State.BAD, subject, seen, f"one bundle on every node, then {reload}")
        elif missing:
            mend = f"copy its bundle to config/densehook there, then {reload}"
            yield Finding(State.BAD, subject, f"not on {', '.join(missing)}", mend)
        else:
            (fingerprint,) = fingerprints
            seen = f"{short(str(fingerprint))}, in service on {len(mine)} nodes"
            if proof := mine[0].proof:
                mend = "densehook export makes one of its weights that is proven equal to PyTorch"
                yield Finding(State.NOTE, subject, f"{seen}, proof: {proof}", mend)
            else:
                yield Finding(State.GOOD, subject, seen)


def _indices(
    client: Elasticsearch, index: str, encoders: Sequence[NodeEncoder] | None, texts: bool
) -> Iterator[Finding]:
    with elastic_errors(client):
        found = client.indices.get(index=index, features=["mappings", "settings"])
    ours = {
        name: entry
        for name, entry in sorted(found.items())
        if META in ((entry.get("mappings") or {}).get("_meta") or {})
    }
    if not ours:
        yield Finding(State.NOTE, "indices", "none has vectors of densehook's", "densehook create")
    for name, entry in ours.items():
        try:
            provenance = read_provenance(name, entry["mappings"], entry["settings"])
        except NoProvenance:
            seen = (
                "its _meta.densehook states no vector field, so that nothing can be searched by it"
            )
            mend = f"densehook embed {name} --encoder BUNDLE --input FIELDS"
            yield Finding(State.BAD, name, seen, mend)
            continue
        for field in provenance.vector_fields.values():
            subject = f"{name}, {field.name}"
            objection = _mapping_objection(provenance, field, entry, encoders)
            if objection is not None:
                yield Finding(State.BAD, subject, *objection)
            yield from _counted(client, name, field, subject, texts)


def _counted(
    client: Elasticsearch, index: str, field: VectorField, subject: str, texts: bool
) -> Iterator[Finding]:
    """What is counted of a field's vectors; where that cannot be, others are looked at after it."""
    try:
        coverage = coverage_of(client, index, field)
        chunks = count_chunks(client, index, field) if coverage.chunks else None
        read = count_texts(client, index, field) if texts else None
    except IndexNotFound:
        return  # deleted since it was listed
    except (ElasticError, ClusterUnavailable) as error:
        seen = f"could not be asked for: {error}"
        if _is_denied(error):
            yield Finding(State.NOTE, subject, seen)
        else:
            mend = f"{_WHY_NO_PLACE}; a closed index is opened by POST {index}/_open"
            yield Finding(State.BAD, subject, seen, mend)
    else:
        yield _vectors(index, field, subject, coverage, chunks, read)


def _is_denied(error: Exception) -> bool:
    """Whether it is for want of a privilege that nothing is known."""
    return getattr(error.__cause__, "error", None) == "security_exception"


def _mapping_objection(
    provenance: Provenance,
    field: VectorField,
    entry: Mapping[str, Any],
    encoders: Sequence[NodeEncoder] | None,
) -> tuple[str, str] | None:
    """What is wrong with a field as it is mapped and stated, and what mends it."""
    if not field.mapping:
        return (
            "the mapping states whose vectors it has, and does not map it",
            "PUT INDEX/_mapping with this field, of the type that its encoder writes",
        )
    if not field.inputs:
        return (
            "no inputs are stated: nobody can make its vectors",
            "name its text fields as input in _meta.densehook (docs/elasticsearch.md, An index)",
        )
    if not provenance.in_cluster:
        return None
    serving = [each for each in encoders or () if each.name == field.encoder]
    if not serving:
        return (
            f"its encoder {field.encoder} is in service on no node",
            "put its bundle into config/densehook, then POST _densehook/encoders/_reload",
        )
    if all(each.space != field.fingerprint for each in serving if each.state == READY):
        return (
            f"made by {field.encoder} {short(field.fingerprint)}, which is"
            f" {short(str(serving[0].space))} in the cluster",
            "put back the bundle the index was made with, or make another index and reindex",
        )
    return None


def _vectors(
    index: str,
    field: VectorField,
    subject: str,
    coverage: Coverage,
    chunks: ChunkCounts | None,
    read: TextCounts | None,
) -> Finding:
    """How many documents lack a vector, or have one that is not current, or not of all its text."""
    of_other_text = read.of_other_text if read is not None else 0
    counts = {
        "of another encoder": coverage.stale,
        "of another text": of_other_text,
        "that a client brought": coverage.foreign,
        "without text": coverage.without_text,
    }
    seen = f"{coverage.documents:,} documents, {coverage.lacking:,} without a vector" + "".join(
        f", {count:,} {what}" for what, count in counts.items() if count
    )
    if coverage.chunks:
        seen += f", {coverage.chunks:,} chunks ({coverage.chunks / coverage.chunked:.1f} each)"
    if chunks is not None:
        seen += (
            f", at most {chunks.usual:,} in 95% of the documents, {chunks.most:,} in the longest"
        )
    if read is not None and read.texts and read.truncated is None and is_cut(field):
        seen += ", how many are longer than the encoder reads is not known: no bundle of it is here"
    if read is not None and read.truncated:
        share = read.truncated / read.texts
        seen += f", {read.truncated:,} ({share:.0%}) longer than the encoder reads"
    if not (coverage.to_embed or of_other_text):
        return Finding(State.GOOD, subject, f"{seen}, by {field.encoder}")
    texts = " --texts" if of_other_text else ""
    mend = f"densehook embed {index} --field {field.name}{texts}"
    return Finding(State.BAD, subject, seen, mend, (index, field.name))


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2])
