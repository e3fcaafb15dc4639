"""What is fed, cut into windows, each made ready ahead of its turn.

How much a window has is decided here alone, whoever encodes it and wherever it comes from.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..bundle import Manifest
from ..collections import BadLine
from ..errors import UnusableDocument
from ..hooks import VectorField, text_of
from ..types import Document

T = TypeVar("T")

WINDOW = 256
"""Documents looked up and encoded together."""

_CUT_CHARACTERS = 400_000
"""Of texts that are cut and encoded together: some 350 chunks of 256 tokens, 4 MB of vectors."""

_IN_CLUSTER = 64
"""Few enough for an answer well within a minute on a slow CPU, many enough to pack well."""

_TOKENS = 512
_CHARACTERS_A_TOKEN = 4
_CHARACTERS_IN_CLUSTER = _IN_CLUSTER * _TOKENS * _CHARACTERS_A_TOKEN
"""Of texts that are sent to a cluster together: as many documents as the usual encoder reads."""

_POLL_S = 0.1


@dataclass(frozen=True)
class Portion:
    """How much is encoded together and answered for by one request, at most.

    ``characters`` are those of the texts, of which no more than ``read`` count of a document.
    """

    documents: int = WINDOW
    characters: int = sys.maxsize
    read: int = sys.maxsize


def portion_of(
    target: VectorField | None, manifest: Manifest | None, *, in_cluster: bool
) -> Portion:
    """That of a field, whose encoder states its ``manifest``; None where nobody tells.

    In the cluster a request ends while somebody waits for its answer, so that long texts are few;
    here, where each chunk has a vector that is kept meanwhile.
    """
    if not in_cluster:
        cut = target is not None and target.chunk is not None
        return Portion(characters=_CUT_CHARACTERS) if cut else Portion()
    if target is None or target.text.modality != "text":
        return Portion(_IN_CLUSTER)
    if target.chunk is not None:
        return Portion(_IN_CLUSTER, _CHARACTERS_IN_CLUSTER)
    tokens = _TOKENS if manifest is None else manifest.max_tokens
    return Portion(_IN_CLUSTER, _CHARACTERS_IN_CLUSTER, tokens * _CHARACTERS_A_TOKEN)


def characters_of(fields: Mapping[str, Any], target: VectorField) -> int:
    """Of a document's inputs; 0 for one that cannot be used."""
    try:
        return len(text_of(Document("", fields), target.text)[0])
    except UnusableDocument:
        return 0


def windows(
    documents: Iterable[Document | BadLine], portion: Portion, target: VectorField
) -> Iterator[list[Document | BadLine]]:
    """A portion at a time, less where an id comes again: the second waits for the first's answer.

    What is no document counts as an empty one.
    """

    def length(item: Document | BadLine) -> int:
        return characters_of(item.fields, target) if isinstance(item, Document) else 0

    def key(item: Document | BadLine) -> str | None:
        return item.id if isinstance(item, Document) else None

    return portions(documents, portion, length, key)


def portions(
    items: Iterable[T],
    portion: Portion,
    length: Callable[[T], int],
    key: Callable[[T], str | None] = lambda item: None,
) -> Iterator[list[T]]:
    """The same items in the same order, a portion at a time, of which no two have one ``key``.

    ``length`` gives the characters of one, and is asked only where they count.
    """
    part: list[T] = []
    keys: set[str] = set()
    left = portion.characters
    for item in items:
        own = min(length(item), portion.read) if portion.characters < sys.maxsize else 0
        known = key(item)
        if part and (len(part) == portion.documents or known in keys or own > left):
            yield part
            part, keys, left = [], set(), portion.characters
        part.append(item)
        left -= own
        if known is not None:
            keys.add(known)
    if part:
        yield part


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
