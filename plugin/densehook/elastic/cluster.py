"""The plugin in a cluster: which encoders its nodes have, and loading them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import (
    AuthorizationException,
    BadRequestError,
    Elasticsearch,
    NotFoundError,
)

from ..bundle import Manifest
from ..errors import ClientMismatch, ElasticError, EncoderMismatch, NotElasticsearch, NotInService
from .connect import elastic_errors

_JSON = {"accept": "application/json"}
READY = "ready"
NO_PLUGIN = (
    "the cluster has no densehook plugin; install it on its nodes (docs/elasticsearch.md), or "
)


@dataclass(frozen=True)
class NodeEncoder:
    """An encoder on one node of the cluster.

    ``state`` is ``loading``, ``ready`` or ``failed``; ``reason`` says why it failed. ``proof`` is
    what is known of a graph that others exported. ``space`` is what its documents' vectors are of,
    which an index states.
    """

    node: str
    name: str
    state: str
    fingerprint: str | None
    reason: str | None
    proof: str = ""
    space: str | None = None


def encoders_of(client: Elasticsearch) -> list[NodeEncoder] | None:
    """Every node's encoders; None when the plugin is not installed.

    Raises AuthenticationFailed or ElasticError without the privilege ``monitor``.
    """
    try:
        with elastic_errors(client):
            return _parsed(client.perform_request("GET", "/_densehook", headers=_JSON).body)
    except ClientMismatch:
        raise
    except ElasticError as error:
        if isinstance(error.__cause__, BadRequestError | NotFoundError):  # no such endpoint
            return None
        raise


def versions_of(client: Elasticsearch) -> list[str]:
    """The versions of the cluster's nodes, each once; none without the privilege ``monitor``."""
    with elastic_errors(client):
        try:
            # of all nodes nothing but what each says anyway
            answer = client.nodes.info(
                node_id="_all", metric="_none", filter_path="nodes.*.version"
            )
        except AuthorizationException:
            return []
    return sorted({node["version"] for node in answer["nodes"].values()})


def lacks_plugin(client: Elasticsearch) -> bool:
    """Whether no node has the plugin; without the privilege ``monitor`` that is not known."""
    try:
        return encoders_of(client) is None
    except ElasticError:
        return False


def reload_encoders(client: Elasticsearch) -> list[NodeEncoder]:
    """Has every node look at its bundles again; gives what it has then."""
    with elastic_errors(client):
        path = "/_densehook/encoders/_reload"
        return _parsed(client.perform_request("POST", path, headers=_JSON).body)


def tokens_in_cluster(client: Elasticsearch, encoder: str, query: str) -> tuple[int, int]:
    """How many tokens of a query the cluster's encoder reads, and how many it does not.

    Raises AuthenticationFailed or ElasticError without the privilege ``monitor``.
    """
    with elastic_errors(client):
        body = {"encoder": encoder, "texts": [query], "role": "query"}
        headers = {**_JSON, "content-type": "application/json"}
        answer = client.perform_request("POST", "/_densehook/_encode", headers=headers, body=body)
    (text,) = answer.body["texts"]
    return len(text["ids"]), int(text["lost_tokens"])


def require_encoder(client: Elasticsearch, manifest: Manifest) -> None:
    """Raises NotInService, or EncoderMismatch, unless a node has this very encoder in service."""
    if objection := _objection(encoders_of(client), manifest.name, manifest.space):
        raise objection


def require_plugin(client: Elasticsearch) -> None:
    """Raises NotInService unless the plugin, which fuses hybrid search, is installed."""
    if encoders_of(client) is None:
        raise NotInService(f"{NO_PLUGIN}search by dense alone")


def has_encoder(client: Elasticsearch, name: str, fingerprint: str) -> bool:
    """Whether the cluster is known to have this very encoder in service.

    Without the privilege ``monitor``, or behind a proxy that hides the plugin, it is not. Raises
    ClusterUnreachable, AuthenticationFailed.
    """
    try:
        return _objection(encoders_of(client), name, fingerprint) is None
    except NotElasticsearch:
        return False
    except ElasticError as error:
        if isinstance(error.__cause__, AuthorizationException):
            return False
        raise


def _objection(
    found: Sequence[NodeEncoder] | None, name: str, fingerprint: str
) -> NotInService | EncoderMismatch | None:
    """What is in the way of using this encoder in the cluster."""
    if found is None:
        return NotInService(f"{NO_PLUGIN}leave --in-cluster out")
    named = [encoder for encoder in found if encoder.name == name]
    if not named:
        names = ", ".join(sorted({encoder.name for encoder in found})) or "none"
        return NotInService(
            f"no node of the cluster has the encoder {name!r} (there: {names}); put its"
            " bundle into config/densehook of each node"
        )
    ready = [encoder for encoder in named if encoder.state == READY]
    if not ready:
        first = named[0]
        return NotInService(
            f"encoder {name!r} on node {first.node!r} is {first.state}"
            + (f": {first.reason}" if first.reason else "; try again in a few seconds")
        )
    for encoder in ready:
        if encoder.space != fingerprint:
            return EncoderMismatch(
                f"encoder {name!r} on node {encoder.node!r} is {encoder.space}, this"
                f" bundle is {fingerprint}; put the same bundle on every node"
            )
    return None


def _parsed(body: Mapping[str, Any]) -> list[NodeEncoder]:
    return [
        NodeEncoder(
            node["name"],
            name,
            entry["state"],
            entry.get("fingerprint"),
            entry.get("reason"),
            entry.get("proof", ""),
            entry.get("space", entry.get("fingerprint")),
        )
        for node in body["nodes"].values()
        for name, entry in node["encoders"].items()
    ]
