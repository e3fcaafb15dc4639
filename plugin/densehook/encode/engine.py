"""One bundle behind two lanes: queries, which go first, and bulk work, which takes what is left.

Elsewhere an Encoder is one caller's; an Engine is for many threads at a time, as in a server.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import cast

import numpy as np

from ..bundle import Bundle, Role
from ..errors import EncodeError, QueueFull
from ..images import Image
from ..machine import usable_cpus
from .encoded import Encoded, placed, stats_of
from .encoder import WINDOW, Encoder, require_list
from .opening import encoder_of
from .selftest import self_test
from .session import Vector, Vectors
from .tokenizer import Tokens

_BULK_TOKENS_PER_RUN = 512  # a query that comes meanwhile shares the cores with one run
_ASSUMED_RUN = 0.05
"""Seconds of a bulk run, as long as none has been measured."""
_PATIENCE = 3.0
"""How long a bulk run lets queries go first, in times of what the last one took."""


class Engine:
    """Encodes for many threads at a time; both lanes are bounded, and a full one says so at once.

    A query runs on one core, in the thread that asks, as many at a time as there are CPUs. Bulk
    work runs on all of them, one small run at a time, and begins none while a query is in flight,
    unless queries come without end: then it gets a quarter of the time. Texts of several callers
    run together, equal ones as one. Close it, or use it in a ``with``.

    Its bulk threads do not spin, which costs bulk work a tenth and lets queries have the cores; for
    bulk work alone an Encoder is faster.

    Images that are encoded run one at a time, and that of a query beside it: each takes some 20
    bytes of memory for each of its pixels meanwhile.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        query_queue: int = 256,
        bulk_queue: int = 16 * WINDOW,
        image_queue: int = 256,
        cached_queries: int = 1000,
    ) -> None:
        """``query_queue`` and ``bulk_queue`` are texts that may wait; 0 cached queries: no cache.

        ``image_queue`` are images that may wait, those of queries among themselves.

        Runs the bundle's self-test. Raises BundleError as Encoder does, SelfTestError as load.
        """
        cpus = usable_cpus()
        traffic = _Traffic()
        queries = encoder_of(bundle.queries or bundle, threads=1)
        bulk = encoder_of(bundle, cpus, _BULK_TOKENS_PER_RUN, concurrent_runs=1, spinning=False)
        self_test(bulk, bundle)  # the other runs the same files
        self._queries = _QueryLane(queries, cpus, query_queue, cached_queries, traffic)
        self._bulk = _BulkLane(bulk, bulk_queue, traffic)
        self._images = _ImageLane(bulk, image_queue)
        # a tower that queries have of their own reads texts alone
        self._image_queries = _ImageLane(bulk if bundle.queries else queries, image_queue)
        self._traffic = traffic

    def encode_query(self, text: str, instruction: str | None = None) -> Vector:
        """A query -> float32 [dims]; a text in flight or asked lately is not encoded again.

        A text over the limit is cut, with a warning in the log. ``instruction``, EncodeError and
        RequestError are as of Encoder.encode_queries. Raises QueueFull when too many wait.
        """
        if not isinstance(cast(object, text), str):
            raise EncodeError(f"a query is of type {type(text).__name__}, not a string")
        return self._queries.encode(text, instruction)

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Documents -> float32 [n, dims] and what was cut; they run with those of other callers.

        Raises QueueFull, EncodeError as Encoder.encode_documents.
        """
        return self._bulk.encode(texts, "document")

    def encode_images(self, images: Sequence[Image]) -> Encoded:
        """Images of documents -> float32 [n, dims]; queries go first.

        Raises QueueFull, BundleError and EncodeError as of ImageTextEncoder.encode_images.
        """
        self._bulk.require_open()
        return self._images.encode(images, self._bulk.giving_way)

    def encode_query_image(self, image: Image) -> Vector:
        """An image that others are searched by -> float32 [dims]; bulk work waits for it.

        Raises QueueFull, BundleError and EncodeError as ``encode_images``.
        """
        vectors = self._image_queries.encode([image], self._traffic.query).vectors
        vector: Vector = vectors[0]
        return vector

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


class _Traffic:
    """Lets bulk runs wait for queries in flight."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queries = 0

    @contextmanager
    def query(self) -> Iterator[None]:
        """A query is in flight as long as the block runs."""
        with self._changed:
            self._queries += 1
        try:
            yield
        finally:
            with self._changed:
                self._queries -= 1
                if not self._queries:
                    self._changed.notify()

    def give_way(self, at_most: float) -> None:
        """Returns when no query is in flight, after so many seconds at the latest."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queries, at_most)


class _QueryLane:
    def __init__(
        self, encoder: Encoder, at_a_time: int, queue: int, cached: int, traffic: _Traffic
    ) -> None:
        self._encoder = encoder
        self._traffic = traffic
        self._slots = threading.Semaphore(at_a_time)
        self._room = at_a_time + queue
        self._cached = cached
        self._cache: OrderedDict[tuple[str, str | None], Vector] = OrderedDict()
        self._in_flight: dict[tuple[str, str | None], Future[Vector]] = {}
        self._lock = threading.Lock()

    def encode(self, text: str, instruction: str | None) -> Vector:
        query = text, instruction
        with self._lock:
            known = self._cache.get(query)
            if known is not None:
                self._cache.move_to_end(query)
                return known.copy()
            coming = self._in_flight.get(query)
            if coming is None:
                if len(self._in_flight) >= self._room:
                    raise QueueFull(f"{self._room} queries are in flight; try again later")
                mine = self._in_flight[query] = Future()
        if coming is not None:
            return coming.result().copy()
        try:
            with self._traffic.query(), self._slots:
                vector: Vector = self._encoder.encode_queries([text], instruction)[0]
        except BaseException as error:
            with self._lock:
                del self._in_flight[query]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._in_flight[query]
            if self._cached:
                self._cache[query] = vector
                if len(self._cache) > self._cached:
                    self._cache.popitem(last=False)
        mine.set_result(vector)
        return vector.copy()


class _ImageLane:
    """One image at a time, in the thread that asks; so many more may wait."""

    def __init__(self, encoder: Encoder, queue: int) -> None:
        self._encoder = encoder
        self._queue = queue
        self._waiting = 0
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def encode(
        self, images: Sequence[Image], around: Callable[[], AbstractContextManager[None]]
    ) -> Encoded:
        """Each image within what ``around`` gives."""
        with self._lock:
            # alone in the queue, more than the bound is taken: it would never fit otherwise
            if self._waiting and self._waiting + len(images) > self._queue:
                raise QueueFull(
                    f"{self._waiting} images wait, {len(images)} more are over the bound of"
                    f" {self._queue}; try again later"
                )
            self._waiting += len(images)
        try:
            return self._encoder.encode_images_counted(images, lambda: self._in_turn(around))
        finally:
            with self._lock:
                self._waiting -= len(images)

    @contextmanager
    def _in_turn(self, around: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        with self._turn, around():
            yield


@dataclass
class _Job:
    """Texts of one caller, at most a window; ``first`` is the place of the first among them all."""

    tokens: Sequence[Tokens]
    first: int
    vectors: Future[Vectors] = field(default_factory=Future)


class _BulkLane:
    def __init__(self, encoder: Encoder, queue: int, traffic: _Traffic) -> None:
        self._encoder = encoder
        self._queue = queue
        self._traffic = traffic
        self._last_run = _ASSUMED_RUN
        self._waiting: deque[_Job] = deque()
        self._texts_waiting = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="densehook bulk", daemon=True)
        self._thread.start()

    def encode(self, texts: Sequence[str], role: Role) -> Encoded:
        require_list(texts)
        jobs = []
        stats = stats_of([])
        with self._room_for(len(texts)):
            for start in range(0, len(texts), WINDOW):
                tokens = self._encoder.tokenize(texts[start : start + WINDOW], role, first=start)
                stats += stats_of(tokens)
                jobs.append(_Job(tokens, start))
            self._offer(jobs)
        parts = [job.vectors.result() for job in jobs]
        return Encoded(np.concatenate([self._encoder.blank(0), *parts]), stats)

    @contextmanager
    def _room_for(self, texts: int) -> Iterator[None]:
        """Keeps room for the texts before the work of tokenising them; gives it back on failure."""
        with self._changed:
            if self._closed:
                raise EncodeError("the engine is closed")
            # alone in the queue, more than the bound is taken: it would never fit otherwise
            if self._texts_waiting and self._texts_waiting + texts > self._queue:
                raise QueueFull(
                    f"{self._texts_waiting} texts wait, {texts} more are over the bound of"
                    f" {self._queue}; try again later"
                )
            self._texts_waiting += texts
        try:
            yield
        except BaseException:
            with self._changed:
                self._texts_waiting -= texts
                self._changed.notify()
            raise

    def _offer(self, jobs: Sequence[_Job]) -> None:
        with self._changed:
            self._waiting.extend(jobs)
            self._changed.notify()

    def _work(self) -> None:
        while jobs := self._take():
            self._encode(jobs)

    def _take(self) -> list[_Job]:
        """Jobs that run together, as many as fit a window; none when the lane is closed."""
        with self._changed:
            # what was let in before the lane closed may still be with the tokenizer
            self._changed.wait_for(
                lambda: self._waiting or (self._closed and not self._texts_waiting)
            )
            taken: list[_Job] = []
            texts = 0
            while self._waiting and (not taken or texts + len(self._waiting[0].tokens) <= WINDOW):
                taken.append(self._waiting.popleft())
                texts += len(taken[-1].tokens)
            self._texts_waiting -= texts
            return taken

    def require_open(self) -> None:
        """Raises EncodeError when the lane is closed."""
        with self._changed:
            if self._closed:
                raise EncodeError("the engine is closed")

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """A run that lets queries in flight go first."""
        self._traffic.give_way(_PATIENCE * self._last_run)
        started = time.perf_counter()
        yield
        self._last_run = time.perf_counter() - started

    def _encode(self, jobs: Sequence[_Job]) -> None:
        try:
            self._run(jobs)
        except BaseException as error:
            if len(jobs) == 1:
                jobs[0].vectors.set_exception(error)
                return
            for job in jobs:  # what one caller's texts do to a provider is not the others' fault
                self._encode([job])

    def _run(self, jobs: Sequence[_Job]) -> None:
        """Each text once, however many callers wait for it."""
        keys = [[tuple(tokens.ids) for tokens in job.tokens] for job in jobs]
        distinct = {
            key: tokens
            for job, texts in zip(jobs, keys, strict=True)
            for key, tokens in zip(texts, job.tokens, strict=True)
        }
        place = {key: number for number, key in enumerate(distinct)}
        vectors, failures = self._encoder.encode_each_of(list(distinct.values()), self.giving_way)
        for job, texts in zip(jobs, keys, strict=True):
            places = [place[key] for key in texts]
            guilty = next((n for n, at in enumerate(places) if at in failures), None)
            if guilty is None:
                job.vectors.set_result(vectors[places])
            else:
                error = placed(failures[places[guilty]], job.first + guilty)
                job.vectors.set_exception(error)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
