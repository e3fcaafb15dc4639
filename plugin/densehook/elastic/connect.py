"""Reaching a cluster, and saying in one line why it could not be reached or refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import elastic_transport
from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    Elasticsearch,
    NotFoundError,
    UnsupportedProductError,
)

from ..errors import AuthenticationFailed, ClusterUnreachable, ElasticError, IndexNotFound
from . import node

_ADDRESS = re.compile(r"https?://[^/\s:]+:\d+(/\S*)?")  # the client wants the port written out
_FIRST_TIMEOUT_S = 10
_REQUEST_TIMEOUT_S = 60
_RETRIES = 3


def connect(
    url: str | None = None, api_key: str | None = None, ca_certs: Path | None = None
) -> Elasticsearch:
    """A client of the cluster named, or of the one in the environment, or of the local node.

    The environment is DENSEHOOK_ES_URL, DENSEHOOK_ES_API_KEY and DENSEHOOK_ES_CA_CERTS. One request
    is made, so that a wrong address or key is known here. Raises ClusterUnreachable,
    AuthenticationFailed.
    """
    url = url or os.environ.get("DENSEHOOK_ES_URL") or _local_url()
    api_key = api_key or os.environ.get("DENSEHOOK_ES_API_KEY") or None
    named = ca_certs or os.environ.get("DENSEHOOK_ES_CA_CERTS")
    trust: dict[str, Any] = {}
    if named:
        if not Path(named).is_file():
            raise ClusterUnreachable(f"there is no CA certificate at {named}; see --ca-certs")
        trust = {"ca_certs": str(named)}
    if not _ADDRESS.fullmatch(url):
        raise ClusterUnreachable(
            f"{url!r} is no cluster's address; write it like https://host:9200"
        )
    client = Elasticsearch(
        url,
        api_key=api_key,
        request_timeout=_REQUEST_TIMEOUT_S,
        max_retries=_RETRIES,
        retry_on_timeout=True,
        **trust,
    )
    # A user may be known to the cluster and not allowed to see its health: good enough. It is not
    # `GET /`, since the smallest distribution does not have that.
    with elastic_errors(client), suppress(AuthorizationException):
        client.options(request_timeout=_FIRST_TIMEOUT_S, max_retries=0).cluster.health()
    return client


@contextmanager
def elastic_errors(client: Elasticsearch) -> Iterator[None]:
    """Turns what the Elasticsearch client raises into one line of ours."""
    try:
        yield
    except elastic_transport.TlsError as error:
        raise ClusterUnreachable(
            f"{_urls(client)} cannot be trusted: {_line(error)};"
            " give the cluster's CA certificate with --ca-certs"
        ) from error
    except elastic_transport.TransportError as error:
        raise ClusterUnreachable(
            f"nothing answers at {_urls(client)}: {_line(error)};"
            " is it running, and is --url its address?"
        ) from error
    except AuthenticationException as error:
        raise AuthenticationFailed(
            f"{_urls(client)} does not accept the credentials: {_reason(error)};"
            " give an API key with --api-key or DENSEHOOK_ES_API_KEY"
        ) from error
    except NotFoundError as error:
        if (index := _missing_index(error)) is None:
            raise ElasticError(f"{_urls(client)}: {_reason(error)}") from error
        raise IndexNotFound(
            f"there is no index {index!r}; make one with: densehook create {index}"
        ) from error
    except UnsupportedProductError as error:
        raise ElasticError(
            f"{_urls(client)} is not Elasticsearch; is --url its address?"
        ) from error
    except ApiError as error:
        raise ElasticError(f"{_urls(client)} refused: {_reason(error)}") from error


def _local_url() -> str:
    state = node.status()
    if state is None:
        raise ClusterUnreachable(
            "no Elasticsearch runs here; start one with `densehook es start`, or name a cluster"
            " with --url"
        )
    return state.url


def _urls(client: Elasticsearch) -> str:
    return ", ".join(each.base_url for each in client.transport.node_pool.all())


def _line(error: elastic_transport.TransportError) -> str:
    return str(error.message).partition("\n")[0]


def _missing_index(error: NotFoundError) -> str | None:
    details = error.body.get("error") if isinstance(error.body, dict) else None
    if not isinstance(details, dict) or details.get("type") != "index_not_found_exception":
        return None
    return str(details.get("index"))


def _reason(error: ApiError) -> str:
    details = error.body.get("error") if isinstance(error.body, dict) else None
    if isinstance(details, dict):
        cause = (details.get("root_cause") or [details])[0]
        text = f"{cause.get('reason') or cause.get('type')}"
    else:
        text = str(details or error.message)
    return f"{error.meta.status} {' '.join(text.split())}"
