"""How long a cluster is waited for is as long as was said, by a clock that is never set."""

from __future__ import annotations

import random
import time

import elastic_transport
import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError, NotFoundError

from densehook.elastic.patience import Patience, is_nodes_fault, retry_after
from densehook.errors import ClusterUnavailable, RequestError


def refused(status: int, kind: str = "t", **headers: str) -> ApiError:
    node = NodeConfig("http", "127.0.0.1", 9200)
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(headers), 0.0, node)
    return ApiError("no", meta, {"error": {"type": kind, "reason": "too much"}})


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [("5m", 300), ("90", 90), ("1.5s", 1.5), (" 2 h ", 7200), ("0", 0), (7, 7), (0.5, 0.5)],
)
def test_patience_is_seconds_or_a_text(wanted: float | str, seconds: float) -> None:
    assert Patience(wanted).seconds == seconds


@pytest.mark.parametrize("wanted", ["", "5 minutes", "-1s", "m", "1d", -1, float("nan")])
def test_what_is_no_time_is_refused(wanted: float | str) -> None:
    with pytest.raises(RequestError, match=r"is no length of time|seconds cannot be waited"):
        Patience(wanted)


def test_pauses_are_drawn_from_nothing_to_a_length_that_grows_and_is_capped() -> None:
    now, slept = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    waiting = Patience(
        300, uniform=random.Random(7).uniform, clock=lambda: now, sleep=sleep
    ).waiting()
    while waiting.pause():
        pass
    assert sum(slept) == pytest.approx(300)
    for tries, seconds in enumerate(slept):
        assert 0 <= seconds <= min(30, 0.5 * 2**tries)
    assert len(set(slept)) == len(slept)
    waiting.restart()
    assert waiting.pause()


def test_a_request_is_sent_again_until_it_is_answered() -> None:
    errors: list[Exception] = [
        refused(503),
        refused(500, "i_o_exception"),
        refused(500, "refresh_failed_engine_exception"),
        refused(404, "index_shard_not_started_exception"),
        elastic_transport.ConnectionError("cut"),
        refused(429),
    ]

    def request() -> str:
        if errors:
            raise errors.pop()
        return "an answer"

    assert Patience(60, sleep=lambda seconds: None).answer(request) == "an answer"


def test_what_no_patience_mends_is_raised_at_once() -> None:
    tried = []

    def answered(error: Exception) -> None:
        tried.append(error)
        raise error

    for error in (NotFoundError("gone", refused(404).meta, {}), elastic_transport.TlsError("no")):
        with pytest.raises(type(error)):
            Patience(60).answer(lambda error=error: answered(error))  # type: ignore[misc]
    assert len(tried) == 2
    with pytest.raises(ClusterUnavailable, match="stayed busy or gone: 503 too much"):
        Patience(0).answer(lambda: answered(refused(503)))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "Fri, 27 Nov 2026 00:00:20 GMT"}, 0),
        (
            {
                "retry-after": "Fri, 27 Nov 2026 00:00:20 GMT",
                "date": "Thu, 26 Nov 2026 23:59:50 GMT",
            },
            30,
        ),
    ],
)
def test_what_an_answer_asks_to_wait_is_counted_by_the_clock_of_who_sent_it(
    headers: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert retry_after(refused(429, **headers)) == seconds


def test_a_full_disk_is_no_documents_fault() -> None:
    assert is_nodes_fault({"type": "i_o_exception", "reason": "No space left on device"})
    assert not is_nodes_fault({"type": "document_parsing_exception"})
    assert not is_nodes_fault("no")
    assert not is_nodes_fault(None)
