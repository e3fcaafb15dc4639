"""Reaching a cluster, and saying in one line why it could not be reached or refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import elastic_transport
from elasticsearch import (
    VERSION,
    ApiError,
    AsyncElasticsearch,
    AuthenticationException,
    AuthorizationException,
    Elasticsearch,
    NotFoundError,
    UnsupportedProductError,
)

from ..errors import (
    AuthenticationFailed,
    ClientMismatch,
    ClusterUnreachable,
    DensehookError,
    ElasticError,
    IndexExists,
    IndexNotFound,
    NotElasticsearch,
    RequestError,
)

# the client wants the port written out; a user and password have no place in it
_ADDRESS = re.compile(
    r"https?://(?:[^/\s:@\x00-\x20\x7f]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})(?:/\S*)?"
)
_PASSWORD = re.compile(r"//.*@")
_UNDERSTOOD = re.compile(r"version must be either version (\d+) or (\d+), but found \d+")
_KEY = re.compile(r"[!-~]+")  # what an HTTP header can carry, without blanks
_FIRST_TIMEOUT_S = 10
_REQUEST_TIMEOUT_S = 60
_RETRIES = 3
_LONGEST_REASON = 500  # characters: proxies answer with whole pages

NO_CLUSTER = (
    "no Elasticsearch runs here; start one with `densehook es start`, or name a cluster with --url"
)


def named_url(url: str | None = None) -> str | None:
    """The address given, or the one in DENSEHOOK_ES_URL; None where neither is."""
    return url or os.environ.get("DENSEHOOK_ES_URL") or None


def connect(
    url: str | None = None, api_key: str | None = None, ca_certs: Path | None = None
) -> Elasticsearch:
    """A client of the cluster named, or of the one in the environment.

    The environment is DENSEHOOK_ES_URL, DENSEHOOK_ES_API_KEY and DENSEHOOK_ES_CA_CERTS. One request
    is made, so that a wrong address or key is known here. Raises RequestError for what can be no
    address or key, ClusterUnreachable, NotElasticsearch, AuthenticationFailed, ClientMismatch,
    ElasticError.
    """
    named = named_url(url)
    if named is None:
        raise ClusterUnreachable(NO_CLUSTER)
    address = _address(named)
    key, key_name = _api_key(api_key)
    client = Elasticsearch(
        address,
        api_key=key,
        request_timeout=_REQUEST_TIMEOUT_S,
        max_retries=_RETRIES,
        retry_on_timeout=True,
        **_trust(address, ca_certs),
    )
    with elastic_errors(client, key_name):
        _greet(client.options(request_timeout=_FIRST_TIMEOUT_S, max_retries=0))
    return client


def require_sync(client: object) -> None:
    """Raises RequestError for an asynchronous client, whose answers would be taken for results."""
    if isinstance(client, AsyncElasticsearch):
        raise RequestError("the client is an AsyncElasticsearch; use densehook.AsyncIndex with it")
    if not isinstance(client, Elasticsearch):
        raise RequestError(
            f"the client is of type {type(client).__name__}; give an Elasticsearch, as"
            " densehook.connect makes one"
        )


def require_async(client: object) -> None:
    """Raises RequestError for a client that cannot be awaited."""
    if not isinstance(client, AsyncElasticsearch):
        raise RequestError("the client is not an AsyncElasticsearch; use densehook.Index with it")


def synchronous(client: AsyncElasticsearch) -> Elasticsearch:
    """A client of the same cluster, with the same trust and credentials, that blocks."""
    nodes = [node.config for node in client.transport.node_pool.all()]
    twin = Elasticsearch(
        nodes,
        request_timeout=_REQUEST_TIMEOUT_S,
        max_retries=_RETRIES,
        retry_on_timeout=True,
    )
    # the client keeps its credentials nowhere else
    twin._headers = client._headers.copy()
    return twin


@contextmanager
def elastic_errors(
    client: Elasticsearch | AsyncElasticsearch, credentials: str = "the credentials"
) -> Iterator[None]:
    """Turns what the Elasticsearch client raises into one line of ours.

    ``credentials`` is what to call them, never their value. Raises ClusterUnreachable,
    NotElasticsearch, AuthenticationFailed, ClientMismatch, IndexNotFound, IndexExists,
    ElasticError.
    """
    try:
        yield
    except elastic_transport.TransportError as error:
        raise _unanswered(error, _urls(client)) from error
    except ApiError as error:
        raise _refused(error, _urls(client), credentials) from error


def _unanswered(error: elastic_transport.TransportError, urls: str) -> DensehookError:
    line = str(error.message).partition("\n")[0][:_LONGEST_REASON]
    if isinstance(error, elastic_transport.TlsError):
        return ClusterUnreachable(
            f"no trusted connection to {urls}: {line}; give the cluster's CA certificate with"
            " --ca-certs, or an http:// address if it has no TLS"
        )
    if isinstance(error, elastic_transport.ConnectionError | elastic_transport.ConnectionTimeout):
        return ClusterUnreachable(
            f"nothing answers at {urls}: {line}; is it running, and is --url its address?"
        )
    return NotElasticsearch(f"{urls} was not understood: {line}; is --url its address?")


def _refused(error: ApiError, urls: str, credentials: str) -> DensehookError:
    if isinstance(error, AuthenticationException):
        return AuthenticationFailed(
            f"{urls} does not accept {credentials}: {_reason(error)};"
            " give an API key with --api-key or DENSEHOOK_ES_API_KEY"
        )
    if isinstance(error, NotFoundError) and (index := _missing_index(error)):
        return IndexNotFound(
            f"there is no index {index!r}; make one with: densehook create {index} --encoder BUNDLE"
        )
    if found := _UNDERSTOOD.search(str(_details(error).get("caused_by"))):
        newest, oldest = int(found[1]), int(found[2])
        version = ".".join(map(str, VERSION))
        return ClientMismatch(
            f"the Python client is elasticsearch {version}, {urls} is Elasticsearch {newest}"
            f" and understands clients of {oldest} and {newest}; install one with: pip install"
            f" 'elasticsearch>={newest},<{newest + 1}'"
        )
    if isinstance(error, UnsupportedProductError):
        return NotElasticsearch(f"{urls} is not Elasticsearch; is --url its address?")
    if not _is_elasticsearchs(error):
        return NotElasticsearch(
            f"{urls} refused: {_reason(error)}; that is not Elasticsearch's answer, but that of"
            " something before it"
        )
    if _details(error).get("type") == "resource_already_exists_exception":
        return IndexExists(f"{_reason(error)}; delete it or choose another name")
    return ElasticError(f"{urls} refused: {_reason(error)}")


def _address(url: str) -> str:
    """The address without blanks around it. Raises RequestError when it is none."""
    found = _ADDRESS.fullmatch(url.strip())
    if found is None or not 0 < int(found["port"]) < 65536:
        raise RequestError(
            f"{_PASSWORD.sub('//...@', url)!r} is no cluster's address; write it like"
            " https://host:9200, and give an API key with --api-key"
        )
    return found[0]


def _api_key(given: str | None) -> tuple[str | None, str]:
    """The key, and what to call it in an error, since its value must not be shown."""
    name = "the API key given" if given else "the API key of DENSEHOOK_ES_API_KEY"
    key = (given or os.environ.get("DENSEHOOK_ES_API_KEY") or "").strip()
    if not key:
        return None, "a request without an API key"
    if not _KEY.fullmatch(key):
        raise RequestError(
            f"{name} holds characters that no key has; give the 'encoded' value that"
            " Elasticsearch answered when the key was made"
        )
    return key, name


def _trust(url: str, given: Path | None) -> dict[str, Any]:
    """The client's TLS arguments; none for http, where there is no certificate to trust."""
    named = given or os.environ.get("DENSEHOOK_ES_CA_CERTS")
    if not named:
        return {}
    if not Path(named).is_file():
        raise RequestError(f"there is no CA certificate at {named}; see --ca-certs")
    return {"ca_certs": str(named)} if url.startswith("https:") else {}


def _greet(client: Elasticsearch) -> None:
    """Makes the first request: the health, as a cluster may have no ``GET /`` or deny it."""
    try:
        client.cluster.health()
    except AuthorizationException as refusal:
        # A key may well index and search and not see the health: good enough. A proxy that forbids
        # everything is not. (Elasticsearch leaves its product header out of this very answer.)
        if _details(refusal).get("type") != "security_exception":
            raise


def _urls(client: Elasticsearch | AsyncElasticsearch) -> str:
    return ", ".join(each.base_url for each in client.transport.node_pool.all())


def _details(error: ApiError) -> dict[str, Any]:
    """What Elasticsearch says of the error; only a reason when the body is of another form."""
    found = error.body.get("error") if isinstance(error.body, dict) else None
    return found if isinstance(found, dict) else {"reason": found}


def _is_elasticsearchs(error: ApiError) -> bool:
    """Whether it answered itself: it signs what it says, or gives its reason as it always does."""
    signed = error.meta.headers.get("x-elastic-product") is not None
    return signed or (isinstance(error.body, dict) and "error" in error.body)


def _missing_index(error: NotFoundError) -> str | None:
    details = _details(error)
    missing = details.get("type") == "index_not_found_exception" and details.get("index")
    return str(missing) if missing else None


def _reason(error: ApiError) -> str:
    details = _details(error)
    causes = [*(details.get("root_cause") or []), details, details.get("caused_by") or {}]
    reasons = [str(cause["reason"]) for cause in causes if cause.get("reason")]
    text = [*reasons, str(details.get("type") or error.message)][0]
    return f"{error.meta.status} {' '.join(text.split())[:_LONGEST_REASON]}"
