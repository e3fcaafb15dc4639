"""One bundle behind two lanes: queries, which go first, and bulk work, which takes what is left.

Elsewhere an Encoder is one caller's; an Engine is for many threads at a time, as in a server.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from ..bundle import Bundle, Role
from ..errors import EncodeError, QueueFull
from .encoder import WINDOW, Encoded, Encoder, stats_of
from .machine import usable_cpus
from .session import Vector, Vectors
from .tokenizer import Tokens

_BULK_NICENESS = 10


class Engine:
    """Encodes for many threads at a time; both lanes are bounded, and a full one says so at once.

    A query runs on one core, in the thread that asks, as many at a time as there are CPUs; bulk
    work runs on all of them, at a lower priority, one run at a time. Texts of several callers run
    together. Close it, or use it in a ``with``.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        query_queue: int = 256,
        bulk_queue: int = 16 * WINDOW,
        cached_queries: int = 1000,
    ) -> None:
        """``query_queue`` and ``bulk_queue`` are texts that may wait; 0 cached queries: no cache.

        Raises BundleError as Encoder does.
        """
        cpus = usable_cpus()
        self._queries = _QueryLane(Encoder(bundle, threads=1), cpus, query_queue, cached_queries)
        self._bulk = _BulkLane(bundle, cpus, bulk_queue)

    def encode_query(self, text: str) -> Vector:
        """A query -> float32 [dims]; a text in flight or asked lately is not encoded again.

        Raises QueueFull when too many wait, EncodeError as Encoder.encode_queries.
        """
        return self._queries.encode(text)

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Documents -> float32 [n, dims] and what was cut; they run with those of other callers.

        Raises QueueFull, EncodeError as Encoder.encode_documents.
        """
        return self._bulk.encode(texts, "document")

    def close(self) -> None:
        """Turns new bulk work away, finishes what waits."""
        self._bulk.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _QueryLane:
    def __init__(self, encoder: Encoder, at_a_time: int, queue: int, cached: int) -> None:
        self._encoder = encoder
        self._slots = threading.Semaphore(at_a_time)
        self._room = at_a_time + queue
        self._cached = cached
        self._cache: OrderedDict[str, Vector] = OrderedDict()
        self._in_flight: dict[str, Future[Vector]] = {}
        self._lock = threading.Lock()

    def encode(self, text: str) -> Vector:
        with self._lock:
            known = self._cache.get(text)
            if known is not None:
                self._cache.move_to_end(text)
                return known.copy()
            coming = self._in_flight.get(text)
            if coming is None:
                if len(self._in_flight) >= self._room:
                    raise QueueFull(f"{self._room} queries are in flight; try again later")
                mine = self._in_flight[text] = Future()
        if coming is not None:
            return coming.result().copy()
        try:
            with self._slots:
                vector: Vector = self._encoder.encode([text], "query").vectors[0]
        except BaseException as error:
            with self._lock:
                del self._in_flight[text]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._in_flight[text]
            if self._cached:
                self._cache[text] = vector
                if len(self._cache) > self._cached:
                    self._cache.popitem(last=False)
        mine.set_result(vector)
        return vector.copy()


@dataclass
class _Job:
    """Texts of one caller, at most a window."""

    tokens: Sequence[Tokens]
    vectors: Future[Vectors] = field(default_factory=Future)


class _BulkLane:
    def __init__(self, bundle: Bundle, threads: int, queue: int) -> None:
        self._queue = queue
        self._waiting: deque[_Job] = deque()
        self._texts_waiting = 0
        self._changed = threading.Condition()
        self._closed = False
        opened: Future[Encoder] = Future()
        self._thread = threading.Thread(
            target=self._work, args=(bundle, threads, opened), name="densehook bulk", daemon=True
        )
        self._thread.start()
        self._encoder = opened.result()

    def encode(self, texts: Sequence[str], role: Role) -> Encoded:
        jobs = []
        stats = stats_of([])
        for start in range(0, len(texts), WINDOW):
            tokens = self._encoder.tokenize(texts[start : start + WINDOW], role, first=start)
            stats += stats_of(tokens)
            jobs.append(_Job(tokens))
        self._offer(jobs, len(texts))
        parts = [job.vectors.result() for job in jobs]
        empty = np.empty((0, self._encoder.dims), dtype=np.float32)
        return Encoded(np.concatenate(parts) if parts else empty, stats)

    def _offer(self, jobs: Sequence[_Job], texts: int) -> None:
        with self._changed:
            if self._closed:
                raise EncodeError("the engine is closed")
            if self._waiting and self._texts_waiting + texts > self._queue:
                raise QueueFull(
                    f"{self._texts_waiting} texts wait, {texts} more are over the bound of"
                    f" {self._queue}; try again later"
                )
            self._waiting.extend(jobs)
            self._texts_waiting += texts
            self._changed.notify()

    def _work(self, bundle: Bundle, threads: int, opened: Future[Encoder]) -> None:
        # threads inherit the niceness of the one that makes them: the session's too
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BULK_NICENESS)
        try:
            encoder = Encoder(bundle, threads)
        except BaseException as error:
            opened.set_exception(error)
            return
        opened.set_result(encoder)
        while jobs := self._take():
            self._encode(encoder, jobs)

    def _take(self) -> list[_Job]:
        """Jobs that run together, as many as fit a window; none when the lane is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            taken: list[_Job] = []
            texts = 0
            while self._waiting and (not taken or texts + len(self._waiting[0].tokens) <= WINDOW):
                taken.append(self._waiting.popleft())
                texts += len(taken[-1].tokens)
            self._texts_waiting -= texts
            return taken

    def _encode(self, encoder: Encoder, jobs: Sequence[_Job]) -> None:
        try:
            vectors = encoder.encode_tokens([tokens for job in jobs for tokens in job.tokens])
        except BaseException as error:
            if len(jobs) == 1:
                jobs[0].vectors.set_exception(error)
                return
            for job in jobs:  # one caller's fault is not the others'
                self._encode(encoder, [job])
            return
        start = 0
        for job in jobs:
            end = start + len(job.tokens)
            job.vectors.set_result(vectors[start:end])
            start = end

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
