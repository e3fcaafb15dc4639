"""Each document of a bulk is answered for once, whatever the cluster or the network does."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from densehook.elastic import bulk
from densehook.elastic.bulk import Refusal, Write, require_available
from densehook.elastic.patience import Patience
from densehook.errors import ClusterUnavailable

Answer = Callable[[list[str]], "tuple[Any, ...] | None"]
"""Ids of a request -> status, body and headers; None: the connection is closed unanswered."""


class Cluster:
    """A local HTTP server that answers bulk requests as it is told; the last answer repeats."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[list[str]] = []
        waiting = list(answers)
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
                ids = [next(iter(json.loads(line).values()))["_id"] for line in sent[::2]]
                requests.append(ids)
                answer = (waiting.pop(0) if len(waiting) > 1 else waiting[0])(ids)
                if answer is None:
                    self.close_connection = True
                    return
                status, body, headers = (*answer, {})[:3]
                content = json.dumps(body).encode()
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/vnd.elasticsearch+json")
                self.send_header("X-Elastic-Product", "Elasticsearch")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.client = Elasticsearch(f"http://127.0.0.1:{self._server.server_port}")

    def close(self) -> None:
        self.client.close()
        self._server.shutdown()
        self._server.server_close()


Start = Callable[..., Cluster]


class Time:
    """A clock that goes when somebody sleeps, with the longest pause drawn each time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def patience(self, seconds: float = 300) -> Patience:
        return Patience(
            seconds, uniform=lambda low, high: high, clock=lambda: self.now, sleep=self.sleep
        )


def send(client: Elasticsearch, index: str, sent: list[Write]) -> Iterator[Refusal | None]:
    return bulk.send(client, index, sent, Time().patience())


@pytest.fixture
def cluster() -> Iterator[Start]:
    started: list[Cluster] = []

    def start(*answers: Answer) -> Cluster:
        started.append(Cluster(*answers))
        return started[-1]

    yield start
    for each in started:
        each.close()


def writes(count: int, *, absent: bool = True, size: int = 0) -> list[Write]:
    source = json.dumps({"text": "x" * size}).encode()
    return [
        Write(f"d{n}", json.dumps({"create": {"_id": f"d{n}"}}).encode(), source, absent)
        for n in range(count)
    ]


def items(ids: list[str], **statuses: int) -> tuple[int, Any]:
    """An answer in which some ids fail with a status, and the others are created."""
    results = []
    for id_ in ids:
        status = statuses.get(id_, 201)
        error = {} if status < 300 else {"error": {"type": "t", "reason": f"{id_}: {status}"}}
        results.append({"create": {"status": status, **error}})
    return 200, {"items": results}


def all_of_them(status: int) -> Answer:
    return lambda ids: items(ids, **dict.fromkeys(ids, status))


def refused(status: int, reason: str = "no", kind: str = "t", **headers: str) -> Answer:
    body = {"error": {"type": kind, "reason": reason}, "status": status}
    return lambda ids: (status, body, headers)


def lost(ids: list[str]) -> None:
    return None


def statuses(answers: Iterator[Refusal | None]) -> list[int | None]:
    return [None if answer is None else answer.status for answer in answers]


def test_answers_come_in_the_order_of_the_documents(cluster: Start) -> None:
    there = cluster(lambda ids: items(ids, d1=400, d3=409))
    answers = list(send(there.client, "i", writes(5)))
    assert statuses(iter(answers)) == [None, 400, None, 409, None]
    assert answers[1] == Refusal(400, {"type": "t", "reason": "d1: 400"})


def test_documents_that_are_too_many_for_now_are_sent_again_alone(cluster: Start) -> None:
    there = cluster(lambda ids: items(ids, d0=429, d2=429), lambda ids: items(ids, d2=429), items)
    assert statuses(send(there.client, "i", writes(4))) == [None] * 4
    assert there.requests == [["d0", "d1", "d2", "d3"], ["d0", "d2"], ["d2"]]


@pytest.mark.parametrize(
    "answer", [all_of_them(429), refused(429), all_of_them(503), refused(503), lost]
)
def test_a_cluster_that_stays_busy_or_gone_is_asked_until_patience_is_over(
    cluster: Start, answer: Answer
) -> None:
    there, time = cluster(answer), Time()
    count = bulk.MAX_DOCUMENTS + 2
    answers = list(bulk.send(there.client, "i", writes(count), time.patience(100)))
    assert len(answers) == count
    for refusal in answers:
        assert refusal is not None
        assert refusal.over
        assert refusal.again
    assert time.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 8.5]
    # the second request is not sent: nothing more should be
    assert [len(ids) for ids in there.requests] == [bulk.MAX_DOCUMENTS] * 10
    with pytest.raises(ClusterUnavailable, match=r"^the cluster stayed busy or gone: "):
        require_available(answers)


def test_a_cluster_that_asks_to_wait_is_asked_no_sooner(cluster: Start) -> None:
    there, time = cluster(refused(429, **{"Retry-After": "20"}), items), Time()
    assert statuses(bulk.send(there.client, "i", writes(2), time.patience())) == [None] * 2
    assert time.slept == [20]
    moment = {
        "Date": "Thu, 26 Nov 2026 23:59:50 GMT",
        "Retry-After": "Fri, 27 Nov 2026 00:00:20 GMT",
    }
    there, time = cluster(refused(503, **moment), items), Time()
    assert statuses(bulk.send(there.client, "i", writes(2), time.patience())) == [None] * 2
    assert time.slept == [30]


def test_what_asks_for_more_patience_than_there_is_is_given_up_at_once(cluster: Start) -> None:
    there, time = cluster(refused(429, **{"Retry-After": "301"})), Time()
    answers = list(bulk.send(there.client, "i", writes(2), time.patience(300)))
    assert [answer and answer.over for answer in answers] == [True, True]
    assert (len(there.requests), time.slept) == (1, [])


def test_who_does_not_want_to_wait_any_longer_does_not(cluster: Start) -> None:
    there = cluster(refused(503))
    patience = Patience(3600, uniform=lambda low, high: 3600)
    threading.Timer(0.2, patience.close).start()
    (answer,) = bulk.send(there.client, "i", writes(1), patience)
    assert answer is not None
    assert answer.over
    assert len(there.requests) == 1


def test_a_cluster_that_takes_one_at_a_time_is_not_given_up(cluster: Start) -> None:
    there = cluster(lambda ids: items(ids, **dict.fromkeys(ids[1:], 429)))
    time = Time()
    assert statuses(bulk.send(there.client, "i", writes(24), time.patience(1))) == [None] * 24
    assert time.slept == [0.5] * 23


def test_one_document_that_spoils_the_request_fails_alone(cluster: Start) -> None:
    def no_d5(ids: list[str]) -> tuple[int, Any]:
        return refused(400, "d5 is spoilt")(ids) if "d5" in ids else items(ids)

    there = cluster(no_d5)
    answers = list(send(there.client, "i", writes(100)))
    assert [n for n, answer in enumerate(answers) if answer] == [5]
    assert answers[5] == Refusal(400, {"type": "t", "reason": "d5 is spoilt"})
    assert len(there.requests) <= 15  # halves, and not one request a document


def test_requests_are_bounded_in_documents_and_in_bytes(cluster: Start) -> None:
    there = cluster(items)
    assert statuses(send(there.client, "i", writes(bulk.MAX_DOCUMENTS + 1))) == [None] * 129
    assert [len(ids) for ids in there.requests] == [bulk.MAX_DOCUMENTS, 1]
    there.requests.clear()
    large = bulk._MAX_BYTES // 3
    assert statuses(send(there.client, "i", writes(5, size=large))) == [None] * 5
    assert [len(ids) for ids in there.requests] == [2, 2, 1]
    there.requests.clear()
    assert statuses(send(there.client, "i", writes(1, size=2 * bulk._MAX_BYTES))) == [None]


FULL = refused(500, "No space left on device", kind="file_system_exception")
NOT_STARTED = refused(404, kind="index_shard_not_started_exception")


@pytest.mark.parametrize("gone", [lost, refused(504), refused(502), FULL, NOT_STARTED])
def test_a_document_that_a_lost_request_wrote_is_no_conflict(cluster: Start, gone: Answer) -> None:
    there = cluster(gone, all_of_them(409))
    assert statuses(send(there.client, "i", writes(3))) == [None] * 3
    assert there.requests == [["d0", "d1", "d2"]] * 2


def test_a_document_that_was_there_before_is_a_conflict_after_a_lost_request_too(
    cluster: Start,
) -> None:
    there = cluster(lost, all_of_them(409))
    assert statuses(send(there.client, "i", writes(2, absent=False))) == [409, 409]


def test_a_conflict_is_one_when_no_request_was_lost(cluster: Start) -> None:
    there = cluster(lambda ids: items(ids, d1=429), all_of_them(409))
    assert statuses(send(there.client, "i", writes(2))) == [None, 409]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_no_documents_fault_is_raised(cluster: Start, status: int) -> None:
    there = cluster(refused(status))
    with pytest.raises(ApiError) as caught:
        list(send(there.client, "i", writes(4)))
    assert caught.value.status_code == status
    assert len(there.requests) == 1
