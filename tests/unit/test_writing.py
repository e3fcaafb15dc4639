"""Several bulks are in flight, answered for in order; and none is sent to a cluster given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from densehook.elastic.bulk import Refusal, Write
from densehook.elastic.patience import Patience
from densehook.errors import ClusterUnavailable
from densehook.ingest import write
from densehook.ingest.write import BULKS_IN_FLIGHT, Writer

OVER = Refusal(503, {"type": "t", "reason": "away"}, over=True)


@dataclass(frozen=True)
class Pair:
    """Two documents that are written together."""

    number: int

    @property
    def writes(self) -> Sequence[Write]:
        return [Write(f"{self.number}-{place}", b"{}", b"{}") for place in range(2)]


class Cluster:
    """What takes bulks: it counts those at once, and answers as it is told."""

    def __init__(self, over_from: int = 10**9) -> None:
        self.sent: list[str] = []
        self.most = 0
        self.patience: Patience | None = None
        self._at_once = 0
        self._over_from = over_from
        self._lock = threading.Lock()

    def send(
        self, client: object, index: str, writes: Sequence[Write], patience: Patience
    ) -> Iterator[Refusal | None]:
        with self._lock:
            self._at_once += 1
            self.most = max(self.most, self._at_once)
            self.sent += [each.id for each in writes]
        time.sleep(0.02)
        with self._lock:
            self._at_once -= 1
        number = int(writes[0].id.partition("-")[0])
        return iter([OVER if number >= self._over_from else None] * len(writes))


def writer_to(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, *, in_cluster: bool) -> Writer:
    monkeypatch.setattr(write, "send", cluster.send)
    client = Elasticsearch("http://127.0.0.1:9")
    return Writer(client, "i", Patience(), ahead=1, in_cluster=in_cluster)


def gather(items: Iterable[Any], found: list[Any]) -> None:
    """Keeps what comes before an error."""
    for item in items:
        found.append(item)


@pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
def test_all_is_answered_for_in_order_and_where_the_cluster_encodes_several_are_in_flight(
    monkeypatch: pytest.MonkeyPatch, in_cluster: bool
) -> None:
    cluster = Cluster()
    writer = writer_to(cluster, monkeypatch, in_cluster=in_cluster)
    found = list(writer.answers_while_available(map(Pair, range(20))))
    assert found == [(Pair(number), [None, None]) for number in range(20)]
    assert cluster.most == (BULKS_IN_FLIGHT if in_cluster else 1)


@pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
def test_a_cluster_that_is_given_up_gets_no_more_and_what_was_sent_is_answered_for(
    monkeypatch: pytest.MonkeyPatch, in_cluster: bool
) -> None:
    cluster = Cluster(over_from=8)
    writer = writer_to(cluster, monkeypatch, in_cluster=in_cluster)
    found: list[tuple[Pair, Any]] = []
    with pytest.raises(ClusterUnavailable, match="the cluster stayed busy or gone"):
        gather(writer.answers_while_available(map(Pair, range(100))), found)
    assert [pair.number for pair, answers in found if answers == [None, None]] == list(range(8))
    sent = {int(id_.partition("-")[0]) for id_ in cluster.sent}
    assert {pair.number for pair, _ in found} == sent
    assert len(sent) <= 8 + 1 + BULKS_IN_FLIGHT


def test_what_makes_windows_gives_up_and_what_was_sent_is_answered_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made() -> Iterator[Pair]:
        yield from map(Pair, range(3))
        raise ClusterUnavailable("a shard is away")

    found: list[Any] = []
    writer = writer_to(Cluster(), monkeypatch, in_cluster=True)
    with pytest.raises(ClusterUnavailable, match="a shard is away"):
        gather(writer.answers_while_available(made()), found)
    assert [pair.number for pair, _ in found] == [0, 1, 2]


def test_whoever_leaves_has_no_patience_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_to(Cluster(), monkeypatch, in_cluster=True)
    answers = writer.answers(map(Pair, range(100)))
    next(answers)
    answers.close()
    assert not writer.patience.waiting().pause()
