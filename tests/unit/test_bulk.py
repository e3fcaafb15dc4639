"""Each document of a bulk is answered for once, whatever the cluster or the network does."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elasticsearch import ApiError, ConnectionError, Elasticsearch

from densehook.elastic import bulk
from densehook.elastic.bulk import Refusal, Write, send

Answer = Callable[[list[str]], "tuple[int, Any] | None"]
"""Ids of a request -> status and body; None: the connection is closed without an answer."""


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
                status, body = answer
                content = json.dumps(body).encode()
                self.send_response(status)
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


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts clusters; the pauses between tries are kept and not waited for."""
    monkeypatch.setattr(bulk.time, "sleep", lambda seconds: None)
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


def refused(status: int, reason: str = "no") -> Answer:
    return lambda ids: (status, {"error": {"type": "t", "reason": reason}, "status": status})


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


@pytest.mark.parametrize("answer", [all_of_them(429), refused(429), all_of_them(503)])
def test_a_cluster_that_stays_busy_is_asked_so_often_and_no_more(
    cluster: Start, answer: Answer
) -> None:
    there = cluster(answer)
    (status, _) = statuses(send(there.client, "i", writes(2)))
    assert status in (429, 503)
    assert len(there.requests) == 1 + bulk._BUSY_RETRIES


def test_a_cluster_that_takes_one_at_a_time_is_not_given_up(cluster: Start) -> None:
    there = cluster(lambda ids: items(ids, **dict.fromkeys(ids[1:], 429)))
    count = 3 * bulk._BUSY_RETRIES
    assert statuses(send(there.client, "i", writes(count))) == [None] * count


def test_one_document_that_spoils_the_request_fails_alone(cluster: Start) -> None:
    def no_d5(ids: list[str]) -> tuple[int, Any]:
        return refused(400, "d5 is spoilt")(ids) if "d5" in ids else items(ids)  # type: ignore[return-value]

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


@pytest.mark.parametrize("gone", [lost, refused(504), refused(502)])
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


def test_a_cluster_that_is_gone_is_not_asked_for_ever(cluster: Start) -> None:
    there = cluster(lost)
    with pytest.raises(ConnectionError):
        list(send(there.client, "i", writes(2)))
    assert len(there.requests) == 1 + len(bulk._LOST_PAUSES_S)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_no_documents_fault_is_raised(cluster: Start, status: int) -> None:
    there = cluster(refused(status))
    with pytest.raises(ApiError) as caught:
        list(send(there.client, "i", writes(4)))
    assert caught.value.status_code == status
    assert len(there.requests) == 1
