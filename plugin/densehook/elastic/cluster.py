"""The plugin in a cluster: which encoders its nodes have, and loading them anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from ..bundle import Manifest
from ..errors import ElasticError, EncoderMismatch
from .connect import elastic_errors

_JSON = {"accept": "application/json"}
READY = "ready"


@dataclass(frozen=True)
class NodeEncoder:
    """An encoder on one node of the cluster.

    ``state`` is ``loading``, ``ready`` or ``failed``; ``reason`` says why it failed.
    """

    node: str
    name: str
    state: str
    fingerprint: str | None
    reason: str | None


def encoders_of(client: Elasticsearch) -> list[NodeEncoder] | None:
    """Every node's encoders; None when the plugin is not installed.

    Raises AuthenticationFailed or ElasticError without the privilege ``monitor``.
    """
    try:
        with elastic_errors(client):
            return _parsed(client.perform_request("GET", "/_densehook", headers=_JSON).body)
    except ElasticError as error:
        if isinstance(error.__cause__, BadRequestError | NotFoundError):  # no such endpoint
            return None
        raise


def reload_encoders(client: Elasticsearch) -> list[NodeEncoder]:
    """Has every node look at its bundles again; gives what it has then."""
    with elastic_errors(client):
        path = "/_densehook/encoders/_reload"
        return _parsed(client.perform_request("POST", path, headers=_JSON).body)


def require_encoder(client: Elasticsearch, manifest: Manifest) -> None:
    """Raises ElasticError unless a node has this very encoder in service."""
    found = encoders_of(client)
    if found is None:
        raise ElasticError(
            "the cluster has no densehook plugin; install it on its nodes (docs/elasticsearch.md),"
            " or leave --in-cluster out"
        )
    named = [encoder for encoder in found if encoder.name == manifest.name]
    if not named:
        names = ", ".join(sorted({encoder.name for encoder in found})) or "none"
        raise ElasticError(
            f"no node of the cluster has the encoder {manifest.name!r} (there: {names}); put its"
            " bundle into config/densehook of each node"
        )
    ready = [encoder for encoder in named if encoder.state == READY]
    if not ready:
        first = named[0]
        raise ElasticError(
            f"encoder {manifest.name!r} on node {first.node!r} is {first.state}"
            + (f": {first.reason}" if first.reason else "; try again in a few seconds")
        )
    for encoder in ready:
        if encoder.fingerprint != manifest.fingerprint:
            raise EncoderMismatch(
                f"encoder {manifest.name!r} on node {encoder.node!r} is {encoder.fingerprint}, this"
                f" bundle is {manifest.fingerprint}; put the same bundle on every node"
            )


def has_encoder(client: Elasticsearch, manifest: Manifest) -> bool:
    """Whether the cluster has this very encoder in service."""
    try:
        require_encoder(client, manifest)
    except ElasticError:
        return False
    return True


def _parsed(body: Mapping[str, Any]) -> list[NodeEncoder]:
    return [
        NodeEncoder(
            node["name"], name, entry["state"], entry.get("fingerprint"), entry.get("reason")
        )
        for node in body["nodes"].values()
        for name, entry in node["encoders"].items()
    ]
