"""Two lanes for many threads: the right vectors, bounded queues, nobody's work done twice."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from densehook.bundle import Bundle, write_golden
from densehook.encode import Encoder, Engine
from densehook.encode.engine import _Traffic
from densehook.encode.session import Session
from densehook.errors import (
    BundleError,
    EncodeError,
    ProviderError,
    QueueFull,
    SelfTestError,
)
from densehook.export.texts import PASSAGES, QUESTIONS


@pytest.fixture
def engine(tiny_bundle: Bundle) -> Iterator[Engine]:
    with Engine(tiny_bundle, query_queue=2, bulk_queue=10, cached_queries=3) as made:
        yield made


class Gate:
    """Holds back the model's runs until it is opened; counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self._open = threading.Event()
        self._running = threading.Semaphore(0)
        run = Session.run

        def held(session: Session, batch: Any) -> Any:
            self.batches.append(len(batch.ids))
            self._running.release()
            assert self._open.wait(30)
            return run(session, batch)

        monkeypatch.setattr(Session, "run", held)

    def wait_for_a_run(self) -> None:
        assert self._running.acquire(timeout=30)

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        while self._running.acquire(blocking=False):
            pass  # runs of before
        self._open.clear()


@pytest.fixture
def gate(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.open()


def until(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(3000):
        if condition():
            return
        done.wait(0.01)
    raise AssertionError("it did not come about in 30 s")


def waiting(engine: Engine) -> int:
    """Texts in the bulk lane's queue."""
    return sum(len(job.tokens) for job in list(engine._bulk._waiting))


def patient(encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Asks again, as long as a lane is full."""

    def ask(texts: Any) -> Any:
        while True:
            with contextlib.suppress(QueueFull):
                return encode(texts)

    return ask


def test_many_callers_get_the_encoders_vectors(engine: Engine, tiny: Encoder) -> None:
    parts = [PASSAGES[n : n + 3] for n in range(0, 30, 3)]
    with ThreadPoolExecutor(8) as callers:
        queries = callers.map(patient(engine.encode_query), QUESTIONS * 3)
        documents = callers.map(patient(engine.encode_documents), parts)
    for text, vector in zip(QUESTIONS * 3, queries, strict=True):
        np.testing.assert_allclose(vector, tiny.encode_queries([text])[0], atol=1e-6)
    for texts, encoded in zip(parts, documents, strict=True):
        expected = tiny.encode_documents(texts)
        np.testing.assert_allclose(encoded.vectors, expected, atol=1e-6)


def test_bulk_work_says_what_was_cut_and_no_texts_are_no_vectors(
    engine: Engine, tiny: Encoder
) -> None:
    long = "water " * 10_000
    assert engine.encode_documents([long]).stats == tiny.encode_counted([long], "document").stats
    assert engine.encode_documents([]).vectors.shape == (0, tiny.dims)


def test_texts_that_wait_run_together_and_equal_ones_once(
    engine: Engine, gate: Gate, tiny: Encoder
) -> None:
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(engine.encode_documents, ["one"])
        gate.wait_for_a_run()
        same, *rest = PASSAGES[:4]
        texts = [[same, rest[0]], [same, rest[1]], [rest[2], same]]
        others = [callers.submit(engine.encode_documents, each) for each in texts]
        until(lambda: waiting(engine) == 6)
        gate.open()
        assert first.result().vectors.shape[0] == 1
        found = [other.result().vectors for other in others]
    assert sum(gate.batches) == 1 + 4  # the passage that all have is encoded once
    for each, vectors in zip(texts, found, strict=True):
        np.testing.assert_allclose(vectors, tiny.encode_documents(each), atol=1e-6)


def test_a_full_bulk_lane_says_so_at_once_and_takes_work_again(engine: Engine, gate: Gate) -> None:
    with ThreadPoolExecutor(2) as callers:
        running = callers.submit(engine.encode_documents, ["one"])
        gate.wait_for_a_run()
        # alone in the queue, more than the bound is taken: it would never fit otherwise
        large = callers.submit(engine.encode_documents, ["water"] * 20)
        until(lambda: waiting(engine) == 20)
        with pytest.raises(QueueFull, match=r"20 texts wait, 1 more are over the bound of 10"):
            engine.encode_documents(["one"])
        gate.open()
        assert len(running.result().vectors) == 1
        assert len(large.result().vectors) == 20
    assert len(engine.encode_documents(["one"]).vectors) == 1


def test_a_full_bulk_lane_does_not_tokenise_what_it_refuses(
    engine: Engine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(2) as callers:
        running = callers.submit(engine.encode_documents, ["one"])
        gate.wait_for_a_run()
        filling = callers.submit(engine.encode_documents, ["water"] * 10)
        until(lambda: waiting(engine) == 10)
        monkeypatch.setattr(Encoder, "tokenize", None)  # whoever calls it, fails
        with pytest.raises(QueueFull):
            engine.encode_documents(["one"] * 1000)
        gate.open()
        assert len(running.result().vectors) + len(filling.result().vectors) == 11


def test_texts_that_cannot_be_tokenised_leave_no_trace_in_the_queue(engine: Engine) -> None:
    for _ in range(20):
        with pytest.raises(EncodeError, match="is of type int"):
            engine.encode_documents([1] * 9)  # type: ignore[list-item]
    assert engine._bulk._texts_waiting == 0


def test_a_full_query_lane_says_so_at_once(engine: Engine, gate: Gate) -> None:
    room = engine._queries._room
    with ThreadPoolExecutor(room) as callers:
        waiting = [callers.submit(engine.encode_query, f"query {n}") for n in range(room)]
        until(lambda: len(engine._queries._in_flight) == room)
        with pytest.raises(QueueFull, match=f"{room} queries are in flight"):
            engine.encode_query("one more")
        gate.open()
        for each in waiting:
            each.result()


def test_a_text_in_flight_is_encoded_once_and_a_repeat_not_at_all(
    engine: Engine, gate: Gate
) -> None:
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(engine.encode_query, "water")
        gate.wait_for_a_run()
        others = [callers.submit(engine.encode_query, "water") for _ in range(3)]
        gate.open()
        vectors = [each.result() for each in (first, *others)]
    vectors[0][:] = 0  # each caller's vector is its own
    np.testing.assert_array_equal(vectors[1], engine.encode_query("water"))
    assert gate.batches == [1]
    for text in ("a", "b", "c", "water"):  # the cache holds three
        engine.encode_query(text)
    assert len(gate.batches) == 5


def test_without_a_cache_every_query_is_encoded(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(tiny_bundle, cached_queries=0) as engine:
        gate = Gate(monkeypatch)
        gate.open()
        engine.encode_query("water")
        engine.encode_query("water")
        assert len(gate.batches) == 2


def test_what_is_no_text_fails_its_caller(engine: Engine) -> None:
    with pytest.raises(EncodeError, match="text 1 is of type int"):
        engine.encode_documents(["one", 2])  # type: ignore[list-item]
    with pytest.raises(EncodeError, match="is of type int"):
        engine.encode_query(2)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match="a query is of type list"):
        engine.encode_query(["one"])  # type: ignore[arg-type]


def test_one_string_is_not_taken_for_a_list_of_letters(engine: Engine) -> None:
    with pytest.raises(EncodeError, match="put it in a list"):
        engine.encode_documents("a single document")
    assert engine._bulk._texts_waiting == 0


def test_a_text_the_model_cannot_run_fails_its_caller_alone(
    guilty_bundle: Bundle, tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.open()  # the self-test runs
    with Engine(guilty_bundle) as engine, ThreadPoolExecutor(3) as callers:
        gate.close()
        running = callers.submit(engine.encode_documents, ["one"])
        gate.wait_for_a_run()
        innocent = callers.submit(engine.encode_documents, ["two", "three"])
        guilty = callers.submit(engine.encode_documents, ["two", "three", "a guiltyword"])
        until(lambda: waiting(engine) == 5)
        gate.open()
        assert len(running.result().vectors) == 1
        expected = tiny.encode_documents(["two", "three"])
        np.testing.assert_allclose(innocent.result().vectors, expected, atol=1e-6)
        with pytest.raises(EncodeError, match="text 2: the model cannot run it: ") as caught:
            guilty.result()
        assert caught.value.position == 2
        with pytest.raises(EncodeError, match="text 0: the model cannot run it: "):
            engine.encode_query("guiltyword")


def test_a_failure_of_the_provider_is_its_callers_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    held = Session.run

    def fails_for_long_texts(session: Session, batch: Any) -> Any:
        if batch.ids.shape[1] > 50:
            raise ProviderError("out of memory")
        return held(session, batch)

    monkeypatch.setattr(Session, "run", fails_for_long_texts)
    with ThreadPoolExecutor(3) as callers:
        running = callers.submit(engine.encode_documents, ["one"])
        gate.wait_for_a_run()
        guilty = callers.submit(engine.encode_documents, ["water " * 60])
        innocent = callers.submit(engine.encode_documents, ["two"])
        until(lambda: waiting(engine) == 2)
        gate.open()
        assert len(running.result().vectors) == 1
        assert len(innocent.result().vectors) == 1
        with pytest.raises(ProviderError, match="out of memory"):
            guilty.result()


def test_a_bulk_run_waits_for_queries_in_flight_and_not_for_ever() -> None:
    traffic = _Traffic()
    started = time.perf_counter()
    traffic.give_way(30)  # nobody is in the way
    with traffic.query():
        traffic.give_way(0.05)
        assert 0.05 <= time.perf_counter() - started < 10
        waiting = threading.Thread(target=traffic.give_way, args=[60])
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_run_of_a_single_text_waits_for_a_query_too(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(tiny_bundle) as engine, ThreadPoolExecutor(2) as callers:
        engine._bulk._last_run = 20  # a patience of a minute
        gate = Gate(monkeypatch)
        query = callers.submit(engine.encode_query, "water")
        gate.wait_for_a_run()
        bulk = callers.submit(engine.encode_documents, ["one"])
        with pytest.raises(TimeoutError):
            bulk.result(0.2)
        assert gate.batches == [1]  # the query's
        gate.open()
        assert query.result().shape == bulk.result().vectors[0].shape


def test_a_query_that_is_cut_says_so(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.encode_query("water " * 10_000)
    assert "1 of 1 texts are over" in caplog.text


def test_a_closed_engine_finishes_its_work_and_takes_no_more(tiny_bundle: Bundle) -> None:
    engine = Engine(tiny_bundle)
    with ThreadPoolExecutor(1) as callers:
        last = callers.submit(engine.encode_documents, ["water"] * 100)
        until(lambda: last.done() or engine._bulk._texts_waiting > 0)
        engine.close()
        assert len(last.result().vectors) == 100
    assert not engine._bulk._thread.is_alive()
    with pytest.raises(EncodeError, match="the engine is closed"):
        engine.encode_documents(["one"])


def test_a_damaged_bundle_is_refused(damaged: Bundle) -> None:
    damaged.model.write_bytes(b"no graph")
    with pytest.raises(BundleError, match="cannot be run"):
        Engine(damaged)


def test_a_bundle_that_does_not_give_its_golden_vectors_is_refused(damaged: Bundle) -> None:
    golden = damaged.golden()
    reversed_vectors = [dataclasses.replace(g, output=[-x for x in g.output]) for g in golden]
    write_golden(damaged.path / "golden.json", reversed_vectors, damaged.manifest.part)
    with pytest.raises(SelfTestError, match="cosine -1"):
        Engine(damaged)
