"""Writing documents, some together: one bulk after the other, or several in flight.

Where the cluster makes the vectors several are, so that it has much to pack from.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..elastic.bulk import Refusal, Write, require_available, send
from ..elastic.patience import Patience
from ..errors import ClusterUnavailable

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

BULKS_IN_FLIGHT = 4

TIMEOUT_IN_CLUSTER_S = 600
"""Enough for a bulk whose texts the cluster encodes, behind others of the same."""

Answers = Iterable[Refusal | None]
"""For each write of a window, in order, None when it is in the index, or why it is not."""


class Writes(Protocol):
    """What is written together, no id twice: whatever else is known of it."""

    @property
    def writes(self) -> Sequence[Write]:
        """The writes, in the order in which they are answered for."""


W = TypeVar("W", bound=Writes)


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

    def answers(self, windows: Iterable[W]) -> Generator[tuple[W, Answers], None, None]:
        """Each window with the answers to its writes, which are to be read before the next.

        Whoever leaves before the end waits for what is in flight, and has no patience any more.
        """
        for window, answers in self._sent(windows):
            written: set[str] = set()
            self._written.append(written)
            yield window, self._noted(window, answers, written)

    def answers_while_available(
        self, windows: Iterable[W]
    ) -> Generator[tuple[W, Sequence[Refusal | None]], None, None]:
        """The same, each read; once the cluster is given up no window is sent any more.

        What has been sent by then is still answered for, which is ``over`` where nothing is known
        of it. Raises ClusterUnavailable at the end.
        """
        ended: list[ClusterUnavailable] = []
        for window, unread in self.answers(_until_ended(windows, ended)):
            answers = list(unread)
            try:
                require_available(answers)
            except ClusterUnavailable as error:
                ended.append(error)
            yield window, answers
        if ended:
            raise ended[0]

    def _noted(self, window: Writes, answers: Answers, written: set[str]) -> Answers:
        for write, refusal in zip(window.writes, answers, strict=True):
            if refusal is None:
                written.add(write.id)
            yield refusal

    def _sent(self, windows: Iterable[W]) -> Iterator[tuple[W, Answers]]:
        with self._patient_while_wanted():
            if self._in_cluster:
                yield from self._several_sent(windows)
                return
            for window in windows:
                yield window, self._send(self._writes(window))

    def _several_sent(self, windows: Iterable[W]) -> Iterator[tuple[W, Answers]]:
        in_flight: deque[tuple[W, Future[Sequence[Refusal | None]]]] = deque()
        with ThreadPoolExecutor(BULKS_IN_FLIGHT) as senders, self._patient_while_wanted():
            for window in windows:
                # of two documents with one id the second must stay the second
                while in_flight and (
                    len(in_flight) == BULKS_IN_FLIGHT
                    or in_flight[0][1].done()
                    or _share_an_id(window, in_flight)
                ):
                    yield _answered(in_flight.popleft())
                writes = self._writes(window)
                in_flight.append((window, senders.submit(self._whole, writes)))
            while in_flight:
                yield _answered(in_flight.popleft())

    @contextmanager
    def _patient_while_wanted(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # also where whoever wanted the answers has left
            self.patience.close()
            raise

    def _whole(self, writes: Sequence[Write]) -> Sequence[Refusal | None]:
        return list(self._send(writes))

    def _send(self, writes: Sequence[Write]) -> Iterator[Refusal | None]:
        return send(self._client, self._index, writes, self.patience)

    def _writes(self, window: Writes) -> list[Write]:
        """What to send; a document that was written since the lookup is not absent any more."""
        lately = set[str]().union(*self._written)
        return [
            dataclasses.replace(each, absent=each.absent and each.id not in lately)
            for each in window.writes
        ]


def _until_ended(windows: Iterable[W], ended: list[ClusterUnavailable]) -> Iterator[W]:
    """Windows to be sent, until it is known that the cluster is given up."""
    try:
        yield from takewhile(lambda _: not ended, windows)
    except ClusterUnavailable as error:  # of whatever makes them
        ended.append(error)


def _share_an_id(
    window: Writes, others: Iterable[tuple[Writes, Future[Sequence[Refusal | None]]]]
) -> bool:
    ids = {each.id for each in window.writes}
    return any(each.id in ids for other, _ in others for each in other.writes)


def _answered(
    sent: tuple[W, Future[Sequence[Refusal | None]]],
) -> tuple[W, Answers]:
    window, answers = sent
    return window, answers.result()
