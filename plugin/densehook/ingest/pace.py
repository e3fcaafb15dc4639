"""How fast documents are written, where the cluster has others to serve."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..errors import RequestError

Item = TypeVar("Item")


class Pace:
    """So many documents a second, or as many as there are."""

    def __init__(self, per_second: float | None) -> None:
        """Raises RequestError for what is no pace."""
        if per_second is not None and per_second <= 0:
            raise RequestError(f"{per_second:g} documents a second is no pace; give more")
        self._per_second = per_second
        self._next = time.monotonic()

    def page(self, size: int) -> int:
        """Documents in a page of ``size`` at most: few enough for an even pace."""
        return size if self._per_second is None else max(1, min(size, int(self._per_second)))

    def wait(self, documents: int) -> None:
        """Returns when so many more may be written."""
        if self._per_second is not None:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = max(self._next, time.monotonic()) + documents / self._per_second


def paced(items: Iterable[Item], pace: Pace) -> Iterator[Item]:
    """The same items, each when it may be written."""
    for item in items:
        pace.wait(1)
        yield item
