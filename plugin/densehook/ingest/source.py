"""What is fed, cut into windows, each made ready ahead of its turn."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

from ..collections import BadLine
from ..types import Document

T = TypeVar("T")

_POLL_S = 0.1


def windows(
    documents: Iterable[Document | BadLine],
    size: int,
    characters: int = sys.maxsize,
    length: Callable[[Document], int] = lambda document: 0,
) -> Iterator[list[Document | BadLine]]:
    """So many at a time, fewer where an id comes again: the second waits for the first's answer.

    A window ends, too, where it would have more ``characters`` than these, as ``length`` counts
    those of a document.
    """
    window: list[Document | BadLine] = []
    ids: set[str] = set()
    left = characters
    for item in documents:
        own = length(item) if isinstance(item, Document) else 0
        again = isinstance(item, Document) and item.id in ids
        if window and (len(window) == size or again or own > left):
            yield window
            window, ids, left = [], set(), characters
        window.append(item)
        left -= own
        if isinstance(item, Document):
            ids.add(item.id)
    if window:
        yield window


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
