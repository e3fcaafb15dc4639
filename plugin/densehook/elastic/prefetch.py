"""Runs an iterator ahead of its consumer, on a thread, behind a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.1


def prefetched(items: Iterable[T], ahead: int) -> Generator[T, None, None]:
    """The same items in the same order, at most ``ahead`` of them waiting to be wanted.

    An error in ``items`` is raised here, after the items before it. When the consumer leaves, the
    thread stops at the next item.
    """
    producer = _Producer(items, ahead)
    producer.start()
    try:
        while not isinstance(item := producer.waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        producer.left.set()
        producer.join()


class _End:
    """Says that nothing more comes, and why when it broke."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Producer(threading.Thread, Generic[T]):
    def __init__(self, items: Iterable[T], ahead: int) -> None:
        super().__init__(name="densehook-prefetch", daemon=True)
        self.waiting: queue.Queue[T | _End] = queue.Queue(ahead)
        self.left = threading.Event()
        self._items = items

    def run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._put(item)
                if self.left.is_set():
                    break
        except BaseException as error:  # handed over whole: the consumer decides
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> None:
        while not self.left.is_set():
            try:
                self.waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return
