"""The page's server: who may ask, how hostile documents are shown, what is kept of judgements."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch import Elasticsearch
from starlette.testclient import TestClient

from command_line import running_in
from densehook.collections import JudgedFolder
from densehook.errors import RequestError
from densehook.hooks import Provenance, TextRule, VectorField
from densehook.index import Hit, Index
from densehook.page import Comparison, compare_app, listen, names_of
from densehook.page.asking import filters_of, search_of
from densehook.page.showing import shown_hit

HOST = "127.0.0.1:8421"
LACKING = "there is no bundle; name it with --encoder"


@pytest.fixture
def page(tmp_path: Path) -> TestClient:
    """The page of an index whose cluster is gone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    field = VectorField(
        "embedding",
        TextRule.joining(["title", "text"]),
        "tiny",
        "sha256:" + "ab" * 32,
        {"type": "dense_vector", "dims": 32},
    )
    provenance = Provenance("passages", {"embedding": field}, ["text"])
    index = Index(Elasticsearch(url, max_retries=0), provenance, field, None)
    comparison = Comparison(index, JudgedFolder(tmp_path / "judged"), LACKING)
    hosts = [HOST, "localhost:8421"]
    client = TestClient(compare_app(comparison, hosts), base_url=f"http://{HOST}")
    client.headers["origin"] = f"http://{HOST}"
    return client


def refused(answer: Any, status: int) -> str:
    """The one line of an answer that refuses."""
    assert answer.status_code == status
    (line,) = answer.json().values()
    assert line and "\n" not in line
    return str(line)


def test_the_page_may_load_and_run_nothing_but_itself(page: TestClient) -> None:
    answer = page.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    for kind in ("script", "style"):
        (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", answer.text, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "http://" not in answer.text and "https://" not in answer.text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", answer.text)
    assert not re.search(r"\s(style|on\w+)=", answer.text.partition("<script>")[0])


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8421", "127.0.0.1:9", "127.0.0.1"])
def test_another_name_of_this_machine_is_refused(page: TestClient, host: str) -> None:
    assert "http://127.0.0.1:8421" in refused(page.get("/", headers={"host": host}), 421)
    asked = page.post("/api/about", json={}, headers={"host": host})
    assert "policy" in " ".join(asked.headers) and refused(asked, 421)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8421", ""])
def test_another_page_cannot_post(page: TestClient, origin: str) -> None:
    judgement = {"q": "cats", "document": "d", "grade": 1}
    refused(page.post("/api/judge", json=judgement, headers={"origin": origin}), 403)
    refused(page.get("/", headers={"origin": origin}), 403)
    del page.headers["origin"]
    refused(page.post("/api/judge", json=judgement), 403)
    assert page.get("/", headers={"host": "localhost:8421"}).status_code == 200


def test_a_form_cannot_post(page: TestClient) -> None:
    refused(page.post("/api/about", data={"q": "cats"}), 415)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"q": " \u00a0"}, "has no text"),
        ({"q": 7}, "q is 7; it must be text"),
        ({"q": "x", "mode": "sparse"}, "is a dense_vector; search it by dense, not by sparse"),
        ({"q": "x", "mode": "odd"}, "mode 'odd' is unknown"),
        ({"q": "x", "size": 1000}, "size is 1000; it must be from 1 to 100"),
        ({"q": "x", "size": "10"}, "size is '10'; it must be a number"),
        ({"q": "x", "filter": "lang"}, "filter 'lang' is not understood"),
        ({"q": "x", "mode": "hybrid", "dense": -1}, "the weight of dense is -1"),
        ([], "no object of JSON"),
        ({"q": "x" * 2**20}, "longer than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_asked_is_one_line(page: TestClient, asked: Any, said: str) -> None:
    body = {"mode": "bm25", **asked} if isinstance(asked, dict) else asked
    assert said in refused(page.post("/api/search", json=body), 400)


def test_filters_are_parted_by_ampersands_or_are_one_query() -> None:
    assert len(filters_of("lang=en & year>=2020")) == 2
    assert filters_of("name=A&B")[0]["match"]["name"]["query"] == "A&B"
    assert filters_of('{"term": {"a": "x & y"}}') == [{"term": {"a": "x & y"}}]
    assert filters_of("  ") == []
    asked = search_of({"q": "x", "mode": "hybrid", "bm25": 0.5, "fusion": "linear"}).asked
    assert asked.list_weights == [0.5, 1.0] and asked.explain and asked.fusion == "linear"


def test_a_cluster_that_is_gone_is_one_line(page: TestClient) -> None:
    line = refused(page.post("/api/search", json={"q": "cats", "mode": "bm25"}), 502)
    assert line.startswith("nothing answers at http://127.0.0.1:")
    about = page.post("/api/about", json={}).json()
    assert about["error"].startswith("nothing answers at")
    assert (about["index"], about["encoder"], about["where"]) == ("passages", "tiny", "nowhere")
    assert about["lacking"] == LACKING


def test_without_an_encoder_only_dense_search_is_refused(page: TestClient) -> None:
    line = refused(page.post("/api/search", json={"q": "cats", "mode": "dense"}), 400)
    assert "needs the encoder 'tiny'" in line


def test_judgements_are_kept_and_taken_back(page: TestClient, tmp_path: Path) -> None:
    def judge(question: str, document: str, grade: int | None) -> Any:
        asked = {"q": question, "document": document, "grade": grade}
        answer = page.post("/api/judge", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert judge("how do cats sleep", "d1", 1)["grades"] == {"d1": 1}
    judge("how do  cats\nsleep", "d2", 0)  # white space makes no other question
    told = judge("naïve 😀?", "ü/1", 1)
    assert (told["judgements"], len(told["questions"])) == (3, 2)
    again = JudgedFolder(tmp_path / "judged")  # as the next start reads it
    assert again.grades("how do cats sleep") == {"d1": 1, "d2": 0}
    assert judge("how do cats sleep", "d2", None)["grades"] == {"d1": 1}
    assert page.post("/api/question", json={"q": "how do cats sleep"}).json()["grades"] == {"d1": 1}
    for wrong in (2, True, "1"):
        asked = {"q": "x", "document": "d", "grade": wrong}
        assert "grade is" in refused(page.post("/api/judge", json=asked), 400)
    spaced = {"q": "new question", "document": "a b", "grade": 1}
    assert "white space" in refused(page.post("/api/judge", json=spaced), 400)
    assert "new question" not in (tmp_path / "judged/queries.jsonl").read_text()


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("pool", {"order": "system"}, "there is no pool to judge; start densehook compare with"),
        ("pair", {"query": "", "document": "d"}, "there is no pool"),
        ("grade", {"query": "q", "document": "d", "grade": 10}, "grade is 10; it must be from 0"),
        ("grade", {"query": "q", "document": "d", "grade": True}, "grade is True"),
        ("grade", {"query": "q", "document": "d", "grade": "1"}, "grade is '1'"),
        ("grade", {"query": "", "document": "d", "grade": 1}, "there is no query"),
        ("grade", {"query": "q", "document": "", "grade": 1}, "document '' is no id"),
        ("grade", {"query": "q", "document": "d", "grade": 1}, "there is no pool"),
    ],
)
def test_a_judgement_of_no_pool_is_one_line(
    page: TestClient, name: str, asked: Any, said: str
) -> None:
    assert said in refused(page.post(f"/api/{name}", json=asked), 400)


def test_a_hostile_document_is_text_and_its_own_marks_mean_nothing() -> None:
    text = "<img src=x onerror=alert(1)> an <em>odd</em> list"
    hit = Hit(
        "<b>",
        1.0,
        {"title": "A sorted list", "text": text, "other": ["<em>"]},
        highlights={
            "title": ["A sorted <em>list</em>"],
            "text": ["<img src=x onerror=alert(1)> an <em>odd</em> <em>list</em>"],
        },
    )
    shown = shown_hit(hit, ["title", "text"])
    assert shown["title"] == [("A sorted ", False), ("list", True)]
    assert shown["snippet"] == [(text, False)]  # which marks are whose cannot be told: none


def test_a_snippet_shows_where_the_words_are() -> None:
    text = "start " * 40 + "the cat sat" + " end" * 40
    hit = Hit("d", 1.0, {"text": text}, highlights={"text": ["start the <em>cat</em> sat end"]})
    shown = shown_hit(hit, ["text"])
    assert shown["title"] == []
    assert shown["snippet"] == [
        ("… ", False),
        ("start the ", False),
        ("cat", True),
        (" sat end", False),
        (" …", False),
    ]
    plain = shown_hit(Hit("d", 1.0, {"text": text}), ["text"])["snippet"]
    assert [text.startswith(plain[0][0]), plain[1]] == [True, (" …", False)]
    assert shown_hit(Hit("d", 1.0), ["text"])["snippet"] == []


def test_a_taken_port_is_one_line_and_the_next_is_found() -> None:
    with listen() as first, listen() as second:
        taken = first.getsockname()[1]
        assert names_of(first) == [f"127.0.0.1:{taken}", f"localhost:{taken}"]
        assert first.getsockname()[0] == "127.0.0.1"
        assert second.getsockname()[1] != taken
        with pytest.raises(RequestError, match=f"^port {taken} is taken; name another with --port"):
            listen(taken)


def test_the_command_says_that_a_folder_holds_no_pool(tmp_path: Path) -> None:
    done = running_in(tmp_path)("compare", "passages", "--pool", "nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        "error: nowhere has no runs/*.trec; give the folder that densehook evaluate or densehook"
        " measure wrote (its --output)\n"
    )


def test_the_command_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with listen() as taken:
        port = taken.getsockname()[1]
        done = running_in(tmp_path)("compare", "passages", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: port {port} is taken")
    assert done.stderr.count("\n") == 1


_SERVING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from elasticsearch import Elasticsearch
from densehook.collections import JudgedFolder
from densehook.hooks import Provenance, TextRule, VectorField
from densehook.index import Index
from densehook.page import Comparison, compare_app, listen, names_of, serve

mapping = {"type": "dense_vector", "dims": 32}
field = VectorField("embedding", TextRule.joining(["text"]), "tiny", "sha256:" + "ab" * 32, mapping)
client = Elasticsearch(sys.argv[1], request_timeout=3600)
index = Index(client, Provenance("passages", {"embedding": field}, ["text"]), field, None)
listening = listen(0)
hosts = names_of(listening)
print(hosts[0], flush=True)
serve(compare_app(Comparison(index, JudgedFolder(Path("judged"))), hosts), listening)
"""


def test_a_cluster_that_never_answers_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with socket.socket() as cluster:
        cluster.bind(("127.0.0.1", 0))
        cluster.listen()
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVING, f"http://127.0.0.1:{cluster.getsockname()[1]}"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        host = process.stdout.readline().strip()
        with httpx.Client(base_url=f"http://{host}", timeout=300) as browser:
            browser.headers["origin"] = f"http://{host}"
            with ThreadPoolExecutor(1) as threads:
                asked = {"q": "cats", "mode": "bm25"}
                waiting = threads.submit(browser.post, "/api/search", json=asked)
                cluster.accept()  # it has the search
                process.send_signal(signal.SIGINT)
                assert refused(waiting.result(), 503) == "densehook compare was ended"
        assert process.communicate(timeout=300) == ("", "")
    assert process.returncode == 0


def test_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['densehook', 'compare', 'p'];"
        "from densehook.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr.endswith("pip install 'densehook[page]'\n") and done.stderr.count("\n") == 1


def test_rows_of_json_are_what_the_browser_gets(page: TestClient) -> None:
    assert json.loads(page.post("/api/question", json={"q": "x"}).content) == {"grades": {}}
