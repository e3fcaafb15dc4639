"""Writing documents in bulk requests: each is answered for once, whatever comes between.

The client's own helper is not used: it cannot tell a document that was there already from one that
this very request wrote before its answer was lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import elastic_transport
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.exceptions import SerializationError

MAX_DOCUMENTS = 128
_MAX_BYTES = 8 * 1024 * 1024

# a cluster that says 429 is asked again after 1, 2, 4 … 30 s, some two minutes in all; every
# document it takes meanwhile begins that anew
_BUSY_RETRIES = 8
_LONGEST_PAUSE_S = 30.0
# one that does not answer, after these pauses
_LOST_PAUSES_S = (0.5, 1.0, 2.0)

CONFLICT = 409
BUSY = (429,)
LOST = (502, 503, 504)  # the request may have been carried out all the same
_NOBODYS_FAULT = (401, 403, 404)  # a wrong key, a missing right, an index deleted meanwhile


@dataclass(frozen=True)
class Write:
    """A document to be written, as the lines of a bulk request.

    ``absent`` says that the index did not have it when it was last looked up.
    """

    id: str
    action: bytes
    source: bytes
    absent: bool = False

    @property
    def size(self) -> int:
        """Bytes of the request."""
        return len(self.action) + len(self.source) + 2

    @classmethod
    def of(
        cls,
        client: Elasticsearch,
        verb: str,
        id_: str,
        source: Mapping[str, Any],
        absent: bool,
        conditions: Mapping[str, Any] | None = None,
    ) -> Write:
        """The lines as this client writes JSON. Raises ValueError for what JSON cannot hold.

        ``conditions`` stand beside the id: its routing, or which version is written over.
        """
        json = client.transport.serializers.get_serializer("application/json")
        try:
            action = json.dumps({verb: {"_id": id_, **(conditions or {})}})
            return cls(id_, action, json.dumps(source), absent)
        except SerializationError as error:
            raise ValueError(f"a value that JSON cannot hold: {error.message}") from error


@dataclass(frozen=True)
class Refusal:
    """Why Elasticsearch did not write a document."""

    status: int
    error: Any


def send(client: Elasticsearch, index: str, writes: Sequence[Write]) -> Iterator[Refusal | None]:
    """Writes documents; for each, in order, None when it is in the index, or why it is not.

    No id is among them twice. Raises what the client does when nothing answers, or for what is no
    document's fault.
    """
    # each request decides for itself when it is sent again, and what the second answer means
    client = client.options(max_retries=0)
    for part in _requests(writes):
        yield from _Request(client, index, part).answers()


def _requests(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """At most so many documents and bytes at a time, unless one alone is larger."""
    part: list[Write] = []
    size = 0
    for write in writes:
        if part and (len(part) == MAX_DOCUMENTS or size + write.size > _MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(write)
        size += write.size
    if part:
        yield part


class _Request:
    def __init__(self, client: Elasticsearch, index: str, writes: Sequence[Write]) -> None:
        self._client = client
        self._index = index
        self._writes = writes
        self._answers: list[Refusal | None] = [None] * len(writes)
        self._doubtful: set[int] = set()
        """Places of documents that an unanswered request may have written."""

    def answers(self) -> Sequence[Refusal | None]:
        self._write(range(len(self._writes)))
        return self._answers

    def _write(self, places: Sequence[int]) -> None:
        busy = 0
        while places:
            try:
                left: Sequence[int] = self._taken(places, self._sent(places))
            except ApiError as error:
                left = self._refused(places, error)
            busy = busy + 1 if len(left) == len(places) else 0
            if busy > _BUSY_RETRIES:
                return
            places = left
            if places:
                time.sleep(min(_LONGEST_PAUSE_S, 2.0 ** max(0, busy - 1)))

    def _sent(self, places: Sequence[int]) -> Sequence[dict[str, Any]]:
        """Each document's result; sent again, some times, where no answer comes."""
        writes = [self._writes[place] for place in places]
        # the client takes lines that are made already, which its types do not say
        lines: Any = [line for write in writes for line in (write.action, write.source)]
        pauses = list(_LOST_PAUSES_S)
        while True:
            try:
                response = self._client.bulk(
                    index=self._index, operations=lines, filter_path="items.*.status,items.*.error"
                )
                return [result for item in response["items"] for result in item.values()]
            except elastic_transport.TransportError as error:
                if not pauses or not _is_lost(error):
                    raise
                self._doubtful.update(places)
                time.sleep(pauses.pop(0))

    def _taken(self, places: Sequence[int], results: Sequence[dict[str, Any]]) -> list[int]:
        """Keeps the answers; gives the places of what is to be sent again."""
        left = []
        for place, result in zip(places, results, strict=True):
            refusal = None
            if "error" in result and not self._was_ours(place, result["status"]):
                refusal = Refusal(result["status"], result["error"])
            self._answers[place] = refusal
            if refusal and refusal.status in (*BUSY, *LOST):
                left.append(place)
            if refusal and refusal.status in LOST:
                self._doubtful.add(place)
        return left

    def _was_ours(self, place: int, status: int) -> bool:
        """Whether the document that is in the way is the one an earlier try wrote."""
        return status == CONFLICT and place in self._doubtful and self._writes[place].absent

    def _refused(self, places: Sequence[int], error: ApiError) -> Sequence[int]:
        """A whole request was refused; gives the places of what is to be sent again.

        One document can be why, by its id for example, or all of them by their size. Halves are
        sent, and halves of those, so that only the guilty one fails.
        """
        status = error.status_code
        if status in _NOBODYS_FAULT:
            raise error
        retried = status in (*BUSY, *LOST)
        if status in LOST:
            self._doubtful.update(places)
        if not retried and len(places) > 1:
            middle = len(places) // 2
            self._write(places[:middle])
            self._write(places[middle:])
            return []
        body = error.body if isinstance(error.body, dict) else {}
        for place in places:
            self._answers[place] = Refusal(status, body.get("error") or str(error))
        return places if retried else []


def _is_lost(error: elastic_transport.TransportError) -> bool:
    """Whether it says that no answer came; else it would fail again, as certificates do."""
    return isinstance(
        error, elastic_transport.ConnectionError | elastic_transport.ConnectionTimeout
    ) and not isinstance(error, elastic_transport.TlsError)
