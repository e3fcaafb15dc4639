"""Doctor's lines where the fault cannot be caused on a node: its answers, from a real server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from densehook import __version__
from densehook.elastic.checks import Finding, State, checked

Answers = Mapping[str, Any]
"""By path; one that is an error has a status of its own."""

NODE = {"name": "one", "version": "8.19.21", "roles": ["data", "ingest"]}

# as 8.19.21 answers; of the licence, as it answers when a trial is over (License.Status.EXPIRED)
ANSWERS: Answers = {
    "/_cluster/health": {"cluster_name": "es", "status": "green"},
    "/_nodes/_all/_none": {"nodes": {"1": NODE}},
    "/_nodes/_all/plugins": {
        "nodes": {"1": {**NODE, "plugins": [{"name": "densehook", "version": __version__}]}}
    },
    "/_license": {"license": {"status": "active", "type": "basic", "uid": "e1b0"}},
    "/_densehook": {"nodes": {}},
    "/*": {},
}
EXPIRED = {
    "license": {
        "status": "expired",
        "uid": "0b6c6bb9-96ba-4ae5-8b0f-46a7e6ab0a0f",
        "type": "trial",
        "issue_date": "2026-10-01T00:00:00.000Z",
        "issue_date_in_millis": 1790812800000,
        "expiry_date": "2026-10-31T00:00:00.000Z",
        "expiry_date_in_millis": 1793404800000,
        "max_nodes": 1000,
        "max_resource_units": None,
        "issued_to": "es",
        "issuer": "elasticsearch",
        "start_date_in_millis": -1,
    }
}


@pytest.fixture
def findings() -> Iterator[Callable[[Answers], dict[str, Finding]]]:
    """What doctor says, by subject, of a server that answers so."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def found(answers: Answers) -> dict[str, Finding]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers[self.path.partition("?")[0]]
                content = json.dumps(answer).encode()
                self.send_response(answer.get("status", 200) if "error" in answer else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("X-Elastic-Product", "Elasticsearch")
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = Elasticsearch(f"http://127.0.0.1:{server.server_port}", max_retries=0)
        return {each.subject: each for each in checked(client)}

    yield found
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_licence_that_expired_hinders_nothing_and_is_said(
    findings: Callable[[Answers], dict[str, Finding]],
) -> None:
    finding = findings({**ANSWERS, "/_license": EXPIRED})["licence"]
    assert (finding.state, finding.seen) == (State.NOTE, "trial, expired")
    assert finding.mend.startswith("densehook needs none; Elastic's own features do")
    assert findings(ANSWERS)["licence"].state is State.GOOD


def test_a_plugin_of_another_version_is_said_with_both(
    findings: Callable[[Answers], dict[str, Finding]],
) -> None:
    assert findings(ANSWERS)["plugin"].state is State.GOOD
    other = {"nodes": {"1": {**NODE, "plugins": [{"name": "densehook", "version": "99.0.0"}]}}}
    finding = findings({**ANSWERS, "/_nodes/_all/plugins": other})["plugin"]
    assert finding.state is State.NOTE
    assert finding.seen == f"99.0.0 on 1 nodes, and this densehook is {__version__}"
    assert finding.mend == "pip install densehook==99.0.0, or this densehook's zip on the nodes"


def stating(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """An index whose mapping states this of its vectors."""
    vector = {"type": "dense_vector", "dims": 4}
    properties = {"text": {"type": "text"}, "embedding": vector}
    mappings = {"_meta": {"densehook": meta}, "properties": properties}
    return {"mappings": mappings, "settings": {"index": {}}}


def counted(documents: int) -> Mapping[str, Any]:
    """The answer of an index whose documents have all a vector."""
    buckets = {name: {"doc_count": 0} for name in ("lacking", "stale", "foreign")}
    buckets["vectors"] = {"doc_count": documents}
    return {
        "hits": {"total": {"value": documents, "relation": "eq"}, "hits": []},
        "aggregations": {"by": {"buckets": buckets}},
    }


FIELD = {"input": ["text"], "encoder": "e", "fingerprint": "sha256:x"}
# as 8.19.21 answers a search that is to leave no shard out, and one without the privilege
MISSING_SHARD = {
    "error": {
        "root_cause": [],
        "type": "search_phase_execution_exception",
        "reason": "Search rejected due to missing shards [[b][0]]. Consider using"
        " `allow_partial_search_results` setting to bypass this error.",
        "phase": "query",
        "grouped": True,
        "failed_shards": [],
    },
    "status": 503,
}
CLOSED = {
    "error": {
        "root_cause": [{"type": "index_closed_exception", "reason": "closed"}],
        "type": "index_closed_exception",
        "reason": "closed",
    },
    "status": 400,
}
DENIED = {
    "error": {
        "root_cause": [{"type": "security_exception", "reason": "action is unauthorized"}],
        "type": "security_exception",
        "reason": "action is unauthorized",
    },
    "status": 403,
}


def test_an_index_that_cannot_be_looked_at_is_told_and_hides_no_other(
    findings: Callable[[Answers], dict[str, Finding]],
) -> None:
    found = findings(
        {
            **ANSWERS,
            "/*": {
                "a": stating({"bm25": ["text"]}),
                **dict.fromkeys("bcde", stating({"fields": {"embedding": FIELD}})),
            },
            "/b/_search": MISSING_SHARD,
            "/c/_search": CLOSED,
            "/d/_search": DENIED,
            "/e/_search": counted(7),
        }
    )
    expected = {
        "a": State.BAD,
        "b, embedding": State.BAD,
        "c, embedding": State.BAD,
        "d, embedding": State.NOTE,
        "e, embedding": State.GOOD,
    }
    assert {subject: found[subject].state for subject in expected} == expected
    assert found["a"].seen.startswith("its _meta.densehook states no vector field")
    assert found["a"].mend == "densehook embed a --encoder BUNDLE --input FIELDS"
    assert "503 Search rejected due to missing shards [[b][0]]" in found["b, embedding"].seen
    assert "a closed index is opened by POST c/_open" in found["c, embedding"].mend
    assert found["e, embedding"].seen == "7 documents, 0 without a vector, by e"
