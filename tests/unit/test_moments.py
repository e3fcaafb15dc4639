"""What an index holds at one moment is known of all its shards, or it is not known."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from elasticsearch import Elasticsearch

from densehook.elastic.coverage import coverage_of
from densehook.elastic.moments import Key, Moment, checkpoints_of, lacking
from densehook.elastic.paging import MomentLost, count_whole, pages
from densehook.elastic.patience import Patience
from densehook.errors import ClusterUnavailable, ElasticError
from densehook.hooks import TextRule, VectorField

Body = Mapping[str, Any]
LOST = {
    "error": {
        "root_cause": [{"type": "search_context_missing_exception", "reason": "No search context"}],
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
    },
    "status": 404,
}


def copy(upto: int, *, primary: bool = True, state: str = "STARTED") -> Body:
    """A copy of a shard as the statistics have it."""
    numbers = {"max_seq_no": upto, "local_checkpoint": upto, "global_checkpoint": upto}
    return {"routing": {"state": state, "primary": primary}, "seq_no": numbers}


def listing(**copies: list[Body]) -> Body:
    """The statistics of an index whose shards have these copies, by "s" and their number."""
    shards = {name[1:]: each for name, each in copies.items()}
    return {"indices": {"news": {"shards": shards}} if shards else {}}


class Cluster:
    """A local HTTP server that answers for an index of two shards; the last statistics repeat."""

    def __init__(self) -> None:
        self.stats: list[Body] = [listing(s0=[copy(4)], s1=[copy(7)])]
        self.mget: list[Body] = []
        self.search: Body = {"hits": {"total": {"value": 3}, "hits": []}}
        self.asked: list[tuple[str, Mapping[str, list[str]]]] = []
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = urlsplit(self.path)
                cluster.asked.append((url.path, parse_qs(url.query)))
                body = cluster.answer(url.path)
                content = json.dumps(body).encode()
                self.send_response_only(body.get("status", 200) if "error" in body else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Elastic-Product", "Elasticsearch")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.client = Elasticsearch(f"http://127.0.0.1:{self._server.server_port}", max_retries=0)

    def answer(self, path: str) -> Body:
        if path == "/news/_settings/index.number_of_shards":
            return {"news": {"settings": {"index": {"number_of_shards": "2"}}}}
        if path == "/news/_stats/docs":
            return self.stats.pop(0) if len(self.stats) > 1 else self.stats[0]
        if path == "/news/_mget":
            return self.mget.pop(0) if len(self.mget) > 1 else self.mget[0]
        if path.endswith("/_search"):
            return self.search
        return {"id": "pit"}

    def close(self) -> None:
        self.client.close()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    started = Cluster()
    yield started
    started.close()


def patience(seconds: float = 300) -> Patience:
    """One by a clock that goes when somebody sleeps."""
    slept: list[float] = []
    return Patience(
        seconds, uniform=lambda low, high: high, clock=lambda: sum(slept), sleep=slept.append
    )


def test_a_moment_has_every_shard_by_its_number(cluster: Cluster) -> None:
    moment = Moment(cluster.client, "news")
    assert {number: shard.upto for number, shard in moment.shards.items()} == {0: 4, 1: 7}
    preferences = [each["preference"] for path, each in cluster.asked if path == "/news/_pit"]
    assert preferences == [["_shards:0"], ["_shards:1"]]
    assert moment.count() == 6


@pytest.mark.parametrize(
    ("stats", "missing"),
    [
        (listing(s1=[copy(7)]), 0),
        (listing(s0=[copy(4)]), 1),
        (listing(), 0),
        (listing(s0=[copy(4, primary=False)], s1=[copy(7)]), 0),
        (listing(s0=[copy(4)], s1=[copy(-2, state="INITIALIZING")]), 1),
        (listing(s0=[{"routing": {"state": "STARTED", "primary": True}}], s1=[copy(7)]), 0),
    ],
    ids=["first", "second", "all", "a replica is left", "begins", "closes"],
)
def test_there_is_no_moment_of_a_part_of_the_shards(
    cluster: Cluster, stats: Body, missing: int
) -> None:
    cluster.stats = [stats]
    with pytest.raises(ClusterUnavailable, match=f"shard {missing} of index 'news' is not there"):
        Moment(cluster.client, "news")
    assert not [path for path, _ in cluster.asked if path == "/news/_pit"]
    with pytest.raises(ClusterUnavailable, match=f"shard {missing} of index 'news' is not there"):
        checkpoints_of(cluster.client, "news", patience(5))
    cluster.stats = [stats, stats, listing(s0=[copy(5)], s1=[copy(7)])]
    assert checkpoints_of(cluster.client, "news", patience()) == {0: 5, 1: 7}


def test_a_shard_that_moves_is_known_by_where_it_is(cluster: Cluster) -> None:
    moving = [copy(-2, state="INITIALIZING"), copy(9, state="RELOCATING"), copy(8, primary=False)]
    cluster.stats = [listing(s0=moving, s1=[copy(7)])]
    assert checkpoints_of(cluster.client, "news") == {0: 9, 1: 7}


def test_a_moment_that_the_cluster_forgot_is_told_as_what_may_be_tried_again(
    cluster: Cluster,
) -> None:
    moment = Moment(cluster.client, "news", patience())
    cluster.search = LOST
    with pytest.raises(MomentLost, match=r"a shard has restarted or moved .*; run it again"):
        moment.count()
    with pytest.raises(MomentLost, match="run it again"):
        list(pages(cluster.client, "news", {"match_all": {}}, [], 10))


def test_a_document_whose_shard_is_not_there_is_not_lacking(cluster: Cluster) -> None:
    keys = [Key("a", None), Key("b", None), Key("c", "r")]
    found, gone = {"_id": "a", "found": True}, {"_id": "c", "found": False}
    away = {"type": "no_shard_available_action_exception", "reason": "No shard available"}
    cluster.mget = [{"docs": [found, {"_id": "b", "error": away}, gone]}]
    with pytest.raises(
        ClusterUnavailable, match="document 'b' of index 'news' cannot be looked up"
    ):
        lacking(cluster.client, "news", keys)
    cluster.mget.append({"docs": [found, {"_id": "b", "found": True}, gone]})
    assert lacking(cluster.client, "news", keys, patience()) == [keys[2]]
    cluster.mget = [{"docs": [found, {"_id": "b", "error": {"type": "other"}}, gone]}]
    with pytest.raises(ElasticError, match="cannot be looked up: other"):
        lacking(cluster.client, "news", keys, patience())


FIELD = VectorField("embedding", TextRule.joining(["text"]), "e", "sha256:x", {"type": "v"})
COUNTED = {"buckets": {key: {"doc_count": 0} for key in ("vectors", "lacking", "stale", "foreign")}}


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: list(pages(client, "news", {"match_all": {}}, [], 10)),
        lambda client: count_whole(client, "news"),
        lambda client: coverage_of(client, "news", FIELD),
        lambda client: Moment(client, "news").count(),
    ],
    ids=["pages", "a count", "coverage", "a moment"],
)
def test_whoever_counts_or_reads_all_leaves_no_shard_out(
    cluster: Cluster, ask: Callable[[Elasticsearch], object]
) -> None:
    cluster.search = {**cluster.search, "aggregations": {"by": COUNTED}}
    ask(cluster.client)
    searches = [each for path, each in cluster.asked if path.endswith("_search")]
    assert searches
    assert {tuple(each["allow_partial_search_results"]) for each in searches} == {("false",)}


def test_shards_that_stay_away_from_a_search_are_named(cluster: Cluster) -> None:
    reason = "Search rejected due to missing shards [[news][0], [news][1]]. Consider using"
    kind = "search_phase_execution_exception"
    cause = {"type": kind, "reason": reason}
    cluster.search = {
        "error": {"root_cause": [], "type": kind, "reason": "", "caused_by": cause},
        "status": 503,
    }
    with pytest.raises(ElasticError, match="503 Search rejected due to missing shards"):
        count_whole(cluster.client, "news")
    with pytest.raises(
        ClusterUnavailable, match=r"shards \[\[news\]\[0\], \[news\]\[1\]\] are not"
    ):
        count_whole(cluster.client, "news", patience=patience(5))
