"""When a request is sent again, after what pause, and when that has gone on for too long.

Pauses are drawn from nothing to an exponentially growing, capped length (AWS Architecture Blog
2015, "Exponential Backoff And Jitter", full jitter), so that many who were refused together do not
come back together.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import elastic_transport
from elasticsearch import ApiError

from ..errors import ClusterUnavailable, RequestError
from ..types import PATIENCE

T = TypeVar("T")

BUSY = (429,)
LOST = (502, 503, 504)  # the request may have been carried out all the same
_NODES_FAULT = (
    "already_closed_exception",
    "circuit_breaking_exception",
    "connect_transport_exception",
    "engine_creation_failure_exception",
    "es_rejected_execution_exception",
    "file_system_exception",
    "flush_failed_engine_exception",
    "i_o_exception",
    "illegal_index_shard_state_exception",
    "index_shard_closed_exception",
    "index_shard_not_started_exception",
    "index_shard_recovering_exception",
    "index_shard_relocated_exception",
    "no_longer_primary_shard_exception",
    "no_shard_available_action_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "receive_timeout_transport_exception",
    "refresh_failed_engine_exception",
    "shard_not_found_exception",
    "shard_not_in_primary_mode_exception",
    "translog_exception",
    "unavailable_shards_exception",
)
"""Types of errors that say nothing of what was asked, but of a shard or a node that is not there,
or of a full disk.

Some have a status that says otherwise, 500 or 404, and a looked up document's have none. Reading a
document by its id refreshes its shard where it has just been written, which a full disk forbids.
"""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Patience:
    """How long a cluster may be busy or gone before one gives up, counted from its last answer.

    ``uniform`` draws the pauses, ``clock`` is one that is never set, ``sleep`` waits. Threads may
    share one.
    """

    def __init__(
        self,
        wanted: float | str = PATIENCE,
        *,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """So many seconds, or a text like 90s, 5m or 2h. Raises RequestError for another."""
        self.seconds = _seconds(wanted)
        self._closed = threading.Event()
        self._uniform = uniform
        self._clock = clock
        self._sleep = sleep or self._closed.wait

    def close(self) -> None:
        """Ends every pause, and allows no more: whoever waited is not wanted any longer."""
        self._closed.set()

    def waiting(self) -> Waiting:
        """For one request, from its first try on."""
        return Waiting(self)

    def answer(self, request: Callable[[], T]) -> T:
        """What a request gives that may be sent twice, and is, while the cluster is busy or gone.

        Raises ClusterUnavailable at the end of all patience, and what else the client does.
        """
        waiting = self.waiting()
        while True:
            try:
                return request()
            except (ApiError, elastic_transport.TransportError) as error:
                if not may_come(error):
                    raise
                if not waiting.pause(retry_after(error)):
                    raise given_up(unavailable(error)) from error


class Waiting:
    """How long one request has been waiting."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.restart()

    def restart(self) -> None:
        """The cluster has done something: all patience is there again."""
        self._tries = 0
        self._since: float | None = None

    def pause(self, at_least: float = 0.0) -> bool:
        """Waits before the next try; False, at once, where there is no patience left for that.

        ``at_least`` are the seconds that the cluster asked for.
        """
        patience = self._patience
        now = patience._clock()
        if self._since is None:
            self._since = now
        left = self._since + patience.seconds - now
        if patience._closed.is_set() or left <= 0 or at_least > left:
            return False
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**self._tries)
        self._tries += 1
        patience._sleep(min(left, max(at_least, patience._uniform(0.0, longest))))
        return not patience._closed.is_set()


def given_up(reason: str) -> ClusterUnavailable:
    """The error that ends it, with what the cluster said last."""
    return ClusterUnavailable(f"the cluster stayed busy or gone: {reason}")


def may_come(error: ApiError | elastic_transport.TransportError) -> bool:
    """Whether the same request may well be answered later."""
    if not isinstance(error, ApiError):
        return is_lost(error)
    return error.status_code in (*BUSY, *LOST) or is_nodes_fault(_details(error))


def is_nodes_fault(error: object) -> bool:
    """Whether what an answer or a document's part of one says is the node's to mend, as it may."""
    return isinstance(error, Mapping) and error.get("type") in _NODES_FAULT


def is_blocked(error: object) -> bool:
    """Whether an index took no writes, as for the moment in which another takes its place."""
    return isinstance(error, Mapping) and error.get("type") == "cluster_block_exception"


def is_lost(error: elastic_transport.TransportError) -> bool:
    """Whether it says that no answer came; else it would fail again, as certificates do."""
    return isinstance(
        error, elastic_transport.ConnectionError | elastic_transport.ConnectionTimeout
    ) and not isinstance(error, elastic_transport.TlsError)


def retry_after(error: ApiError | elastic_transport.TransportError) -> float:
    """The seconds that an answer asks to wait, by the clock of whoever sent it; else 0."""
    if not isinstance(error, ApiError):
        return 0.0
    return _asked(error.meta.headers)


def unavailable(error: ApiError | elastic_transport.TransportError) -> str:
    """Why a cluster could not be used, in one line."""
    line = str(error.message).partition("\n")[0]
    if not isinstance(error, ApiError):
        return f"no answer came: {line}"
    return f"{error.status_code} {_details(error).get('reason') or line}"


def _details(error: ApiError) -> Mapping[str, Any]:
    """What the cluster said of an error; nothing where it is no answer of a cluster's."""
    details = error.body.get("error") if isinstance(error.body, Mapping) else None
    return details if isinstance(details, Mapping) else {}


def _asked(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:  # a time of day: counted from the sender's own, since clocks differ and are set
        until = parsedate_to_datetime(text)
        return max(0.0, (until - parsedate_to_datetime(headers["date"])).total_seconds())
    except (ValueError, TypeError, KeyError):
        return 0.0


def _seconds(wanted: float | str) -> float:
    if isinstance(wanted, str):
        found = _WRITTEN.fullmatch(wanted.strip())
        if found is None:
            raise RequestError(f"{wanted!r} is no length of time; write it like 90s, 5m or 2h")
        return float(found[1]) * _SECONDS[found[2]]
    if not wanted >= 0:
        raise RequestError(f"{wanted!r} seconds cannot be waited; give 0 or more")
    return float(wanted)
