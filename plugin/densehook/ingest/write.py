"""Writing windows of documents: one bulk after the other, or several in flight.

Where the cluster makes the vectors several are, so that it has much to pack from.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..elastic.bulk import Refusal, Write, send
from ..elastic.patience import Patience
from .encode import Window

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

BULKS_IN_FLIGHT = 4

TIMEOUT_IN_CLUSTER_S = 600
"""Enough for a bulk whose texts the cluster encodes, behind others of the same."""

Answers = Iterable[Refusal | None]
"""For each document of a window, in order, None when it is in the index, or why it is not."""


class Writer:
    """Writes windows to one index; ``ahead`` of them may be made ready before their turn."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        patience: Patience,
        *,
        ahead: int,
        in_cluster: bool = False,
    ) -> None:
        if in_cluster:
            client = client.options(request_timeout=TIMEOUT_IN_CLUSTER_S)
        self._client = client
        self._index = index
        self.patience = patience
        self._in_cluster = in_cluster
        # how many windows may be written between a window's lookup and its own writing
        meanwhile = ahead + 2 + BULKS_IN_FLIGHT
        self._written: deque[set[str]] = deque(maxlen=meanwhile)
        """Ids of the last windows."""

    def answers(self, windows: Iterable[Window]) -> Iterator[tuple[Window, Answers]]:
        """Each window with the answers to its documents, which are to be read before the next."""
        for window, answers in self._sent(windows):
            written: set[str] = set()
            self._written.append(written)
            yield window, self._noted(window, answers, written)

    def _noted(self, window: Window, answers: Answers, written: set[str]) -> Answers:
        for ready, refusal in zip(window.ready, answers, strict=True):
            if refusal is None:
                written.add(ready.write.id)
            yield refusal

    def _sent(self, windows: Iterable[Window]) -> Iterator[tuple[Window, Answers]]:
        if not self._in_cluster:
            for window in windows:
                yield window, self._send(self._writes(window))
            return
        in_flight: deque[tuple[Window, Future[Sequence[Refusal | None]]]] = deque()
        with ThreadPoolExecutor(BULKS_IN_FLIGHT) as senders:
            for window in windows:
                # of two documents with one id the second must stay the second
                while in_flight and (
                    len(in_flight) == BULKS_IN_FLIGHT or _share_an_id(window, in_flight)
                ):
                    yield _answered(in_flight.popleft())
                writes = self._writes(window)
                in_flight.append((window, senders.submit(self._whole, writes)))
            while in_flight:
                yield _answered(in_flight.popleft())

    def _whole(self, writes: Sequence[Write]) -> Sequence[Refusal | None]:
        return list(self._send(writes))

    def _send(self, writes: Sequence[Write]) -> Iterator[Refusal | None]:
        return send(self._client, self._index, writes, self.patience)

    def _writes(self, window: Window) -> list[Write]:
        """What to send; a document that was written since the lookup is not absent any more."""
        lately = set[str]().union(*self._written)
        return [
            dataclasses.replace(
                each.write, absent=each.write.absent and each.write.id not in lately
            )
            for each in window.ready
        ]


def _share_an_id(
    window: Window, others: Iterable[tuple[Window, Future[Sequence[Refusal | None]]]]
) -> bool:
    ids = {each.write.id for each in window.ready}
    return any(each.write.id in ids for other, _ in others for each in other.ready)


def _answered(
    sent: tuple[Window, Future[Sequence[Refusal | None]]],
) -> tuple[Window, Answers]:
    window, answers = sent
    return window, answers.result()
