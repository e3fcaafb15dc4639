"""Writing documents in bulk requests: each is answered for once, whatever comes between.

The client's own helper is not used: it cannot tell a document that was there already from one that
this very request wrote before its answer was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import elastic_transport
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.exceptions import SerializationError

from .patience import (
    BUSY,
    LOST,
    Patience,
    Waiting,
    given_up,
    is_blocked,
    is_lost,
    is_nodes_fault,
    may_come,
    retry_after,
    unavailable,
)

MAX_DOCUMENTS = 128
_MAX_BYTES = 8 * 1024 * 1024

CONFLICT = 409
_UNANSWERED = 503
_NOBODYS_FAULT = (401, 403, 404)  # a wrong key, a missing right, an index deleted meanwhile


@dataclass(frozen=True)
class Write:
    """A document to be written, as the lines of a bulk request; one to be deleted has no source.

    ``absent`` says that the index did not have it when it was last looked up.
    """

    id: str
    action: bytes
    source: bytes | None
    absent: bool = False

    @property
    def size(self) -> int:
        """Bytes of the request."""
        return sum(len(line) + 1 for line in self.lines)

    @property
    def lines(self) -> Sequence[bytes]:
        """What stands in the request."""
        return (self.action,) if self.source is None else (self.action, self.source)

    @classmethod
    def of(
        cls,
        client: Elasticsearch,
        verb: str,
        id_: str,
        source: Mapping[str, Any] | None,
        absent: bool,
        conditions: Mapping[str, Any] | None = None,
    ) -> Write:
        """The lines as this client writes JSON. Raises ValueError for what JSON cannot hold.

        ``conditions`` stand beside the id: its routing, or which version is written over.
        """
        json = client.transport.serializers.get_serializer("application/json")
        try:
            action = json.dumps({verb: {"_id": id_, **(conditions or {})}})
            return cls(id_, action, None if source is None else json.dumps(source), absent)
        except SerializationError as error:
            raise ValueError(f"a value that JSON cannot hold: {error.message}") from error


@dataclass(frozen=True)
class Refusal:
    """Why Elasticsearch did not write a document.

    ``over`` says that it was busy or gone to the end of all patience: nothing is known of the
    document then, and nothing more should be sent.
    """

    status: int
    error: Any
    over: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether the document may have been written all the same."""
        return self.status in LOST or (self.status not in BUSY and is_nodes_fault(self.error))

    @property
    def again(self) -> bool:
        """Whether the very same document may go in later."""
        return self.status in BUSY or self.doubtful or is_blocked(self.error)

    @property
    def reason(self) -> str:
        """In Elasticsearch's own words."""
        if not isinstance(self.error, dict):
            return str(self.error)
        cause = (self.error.get("caused_by") or {}).get("reason")
        kind = self.error.get("type") or "Elasticsearch gave no reason"
        reason = self.error.get("reason") or kind
        return f"{reason} ({cause})" if cause else str(reason)


def send(
    client: Elasticsearch, index: str, writes: Sequence[Write], patience: Patience | None = None
) -> Iterator[Refusal | None]:
    """Writes documents; for each, in order, None when it is in the index, or why it is not.

    No id is among them twice. A cluster that is busy or gone is asked again as long as there is
    patience; what it has not answered for by then is a Refusal that is ``over``. Raises what the
    client does for what is no document's fault.
    """
    # each request decides for itself when it is sent again, and what the second answer means
    client = client.options(max_retries=0)
    patience = patience or Patience()
    over: Refusal | None = None
    for part in _requests(writes):
        answers: Sequence[Refusal | None] = [over] * len(part)
        if over is None:
            answers = _Request(client, index, part, patience).answers()
            over = next((answer for answer in answers if answer and answer.over), None)
        yield from answers


def require_available(answers: Iterable[Refusal | None]) -> None:
    """Raises ClusterUnavailable where an answer says that all patience is over."""
    for answer in answers:
        if answer is not None and answer.over:
            raise given_up(answer.reason)


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
    def __init__(
        self, client: Elasticsearch, index: str, writes: Sequence[Write], patience: Patience
    ) -> None:
        self._client = client
        self._index = index
        self._writes = writes
        self._patience = patience
        self._answers: list[Refusal | None] = [None] * len(writes)
        self._doubtful: set[int] = set()
        """Places of documents that an unanswered request may have written."""

    def answers(self) -> Sequence[Refusal | None]:
        self._write(range(len(self._writes)), self._patience.waiting())
        return self._answers

    def _write(self, places: Sequence[int], waiting: Waiting) -> None:
        while places:
            left, at_least = self._tried(places, waiting)
            if len(left) < len(places):
                waiting.restart()
            places = left
            if places and not waiting.pause(at_least):
                self._give_up(places)
                return

    def _tried(self, places: Sequence[int], waiting: Waiting) -> tuple[Sequence[int], float]:
        """Sends documents once; the places of those to be sent again, and not before when."""
        writes = [self._writes[place] for place in places]
        # the client takes lines that are made already, which its types do not say
        lines: Any = [line for write in writes for line in write.lines]
        try:
            response = self._client.bulk(
                index=self._index, operations=lines, filter_path="items.*.status,items.*.error"
            )
        except elastic_transport.TransportError as error:
            if not is_lost(error):
                raise
            self._doubtful.update(places)
            self._answer(places, Refusal(_UNANSWERED, unavailable(error)))
            return places, 0.0
        except ApiError as error:
            return self._refused(places, error, waiting), retry_after(error)
        results = [result for item in response["items"] for result in item.values()]
        return self._taken(places, results), 0.0

    def _taken(self, places: Sequence[int], results: Sequence[dict[str, Any]]) -> list[int]:
        """Keeps the answers; gives the places of what is to be sent again."""
        left = []
        for place, result in zip(places, results, strict=True):
            refusal = None
            if "error" in result and not self._was_ours(place, result["status"]):
                refusal = Refusal(result["status"], result["error"])
            self._answers[place] = refusal
            if refusal and refusal.again:
                left.append(place)
            if refusal and refusal.doubtful:
                self._doubtful.add(place)
        return left

    def _was_ours(self, place: int, status: int) -> bool:
        """Whether the document that is in the way is the one an earlier try wrote."""
        return status == CONFLICT and place in self._doubtful and self._writes[place].absent

    def _refused(self, places: Sequence[int], error: ApiError, waiting: Waiting) -> Sequence[int]:
        """A whole request was refused; gives the places of what is to be sent again.

        One document can be why, by its id for example, or all of them by their size. Halves are
        sent, and halves of those, so that only the guilty one fails.
        """
        status = error.status_code
        retried = may_come(error)
        if status in _NOBODYS_FAULT and not retried:
            raise error
        if retried and status not in BUSY:
            self._doubtful.update(places)
        if not retried and len(places) > 1:
            waiting.restart()
            middle = len(places) // 2
            self._write(places[:middle], waiting)
            self._write(places[middle:], waiting)
            return []
        body = error.body if isinstance(error.body, dict) else {}
        self._answer(places, Refusal(status, body.get("error") or unavailable(error)))
        return places if retried else []

    def _answer(self, places: Sequence[int], refusal: Refusal) -> None:
        for place in places:
            self._answers[place] = refusal

    def _give_up(self, places: Sequence[int]) -> None:
        for place in places:
            refusal = self._answers[place]
            if refusal is not None:
                self._answers[place] = replace(refusal, over=True)
