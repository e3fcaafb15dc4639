"""The page over a real index: what its columns hold, and the page itself in a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from elasticsearch import Elasticsearch

import densehook
from chromium import Browser, chromium
from command_line import COMMAND
from densehook.collections import JudgedFolder, by_query, open_measured, open_pool, read_run
from densehook.encode import Encoder
from densehook.errors import RequestError
from densehook.evaluation import measure_runs
from densehook.node import NodeState
from densehook.page import Comparison, compare_app, listen, names_of

ROWS = [
    {"_id": "cats", "title": "Cats", "text": "They sleep most of the day.", "lang": "en"},
    {"_id": "young", "title": "Kittens", "text": "Young cats play all night.", "lang": "en"},
    {"_id": "shots", "title": "Vaccines", "text": "They train the immune system.", "lang": "en"},
    {"_id": "money", "title": "Markets", "text": "Shares fell again on Monday.", "lang": "en"},
    {
        "_id": "<i>evil</i>",
        "title": "<script>document.title = 'owned'</script> cats",
        "text": "<img src=x onerror=\"document.title='owned'\"> night",
        "lang": "xx",
    },
    {"_id": "blank", "title": "", "text": "\u00a0", "lang": "en"},
]
QUERY = "young cats at night"


@pytest.fixture(scope="module")
def index(plugin_client: Elasticsearch, minilm: Encoder) -> Iterator[densehook.Index]:
    """An index that the node encodes for."""
    made = densehook.Index.create(
        plugin_client, "page", minilm, inputs=["title", "text"], index_type="flat"
    )
    assert made.ingest(ROWS).indexed == len(ROWS)
    yield made
    made.drop()


class Served:
    """A page on a port of its own, asked as its own script asks."""

    def __init__(self, comparison: Comparison) -> None:
        self._listening = listen(0)
        hosts = names_of(self._listening)
        self.url = f"http://{hosts[0]}"
        app = compare_app(comparison, hosts)
        self._server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))
        self._thread.start()

    def ask(self, name: str, **asked: Any) -> Any:
        return ask(self.url, name, **asked)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()


def ask(url: str, name: str, **asked: Any) -> Any:
    headers = {"content-type": "application/json", "origin": url}
    body = json.dumps(asked).encode()
    request = urllib.request.Request(f"{url}/api/{name}", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


@pytest.fixture
def served(index: densehook.Index, tmp_path: Path) -> Iterator[Served]:
    page = Served(Comparison(index, JudgedFolder(tmp_path / "judged")))
    yield page
    page.stop()


def test_columns_hold_hits_with_marks_parts_and_times(
    served: Served, index: densehook.Index
) -> None:
    about = served.ask("about")
    assert (about["documents"], about["without_vector"]) == (len(ROWS), 1)
    assert (about["where"], about["fingerprint"]) == ("cluster", index.field.fingerprint)
    for mode in ("bm25", "dense", "hybrid"):
        found = served.ask("search", q=QUERY, mode=mode, size=3)
        assert [hit["id"] for hit in found["hits"]] == [
            hit.id for hit in index.search(QUERY, mode=mode, size=3)
        ]
        first = found["hits"][0]
        assert first["id"] == "young" and ["cats", True] in first["snippet"]
        assert found["took"] >= 0 and found["whole"] > 0 and found["encode"] is None
        assert bool(first["parts"]) == (mode == "hybrid")
    heavy = served.ask("search", q=QUERY, mode="hybrid", dense=3, filter="lang=xx")
    (evil,) = heavy["hits"]
    assert sum(p["contribution"] for p in evil["parts"].values()) == pytest.approx(evil["score"])
    assert evil["parts"]["dense"]["weight"] == 3


def test_a_question_that_is_cut_says_by_how_much(
    served: Served, index: densehook.Index, minilm: Encoder, tmp_path: Path
) -> None:
    long = "cats " * 1_000
    told = served.ask("question", q=long)
    (tokens,) = minilm.tokenize([long.strip()], "query")
    assert (told["read"], told["lost"]) == (len(tokens.ids), tokens.lost)
    here = Comparison(index.encoded_by(minilm), JudgedFolder(tmp_path / "other"))
    assert (here.about()["where"], here.question(long)) == ("here", told)
    other = Served(here)
    try:
        found = other.ask("search", q=QUERY, mode="dense")
        assert found["hits"][0]["id"] == "young" and found["encode"] > 0
    finally:
        other.stop()


def test_an_index_that_is_gone_is_one_line(
    plugin_client: Elasticsearch, minilm: Encoder, tmp_path: Path
) -> None:
    index = densehook.Index.create(plugin_client, "page-gone", minilm, inputs=["text"])
    index.drop()
    page = Served(Comparison(index, JudgedFolder(tmp_path)))
    try:
        for mode in ("bm25", "dense", "hybrid"):
            line = page.ask("search", q=QUERY, mode=mode)["error"]
            assert "page-gone" in line and "\n" not in line
        assert "page-gone" in page.ask("about")["error"]
    finally:
        page.stop()


def test_the_command_serves_judges_and_ends_at_a_key(
    index: densehook.Index, plugin_node: NodeState, tmp_path: Path
) -> None:
    command = [*COMMAND, "compare", index.name, "--url", plugin_node.url, "--open"]
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened.new && mv opened.new opened\n')
    browser.chmod(0o755)
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "BROWSER": f"{browser} %s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip().rstrip("/")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    with urllib.request.urlopen(url) as answer:
        assert b"densehook compare" in answer.read()
    assert ask(url, "judge", q=QUERY, document="young", grade=1)["grades"] == {"young": 1}
    ends = time.monotonic() + 60
    while not (tmp_path / "opened").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    assert (tmp_path / "opened").read_text() == f"{url}/\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err == "judgements go to page-judgements; Ctrl-C ends\n"
    scores = densehook.evaluate(
        tmp_path / "page-judgements", index, ["bm25", "rrf"], tmp_path / "out"
    )
    assert scores.systems["rrf"]["nDCG@10"] == 1.0


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


_SETTLED = "!document.querySelector('[aria-busy]') && !!document.querySelector('#hybrid-0')"
_FOCUSED = "document.activeElement.querySelector('.id')?.textContent"
_COLUMN = "document.activeElement.closest('section')?.querySelector('h2').textContent"


def test_in_a_browser_by_keyboard_alone(browser: Browser, served: Served, tmp_path: Path) -> None:
    browser.size(1300, 900)
    browser.open(served.url)
    browser.until("document.getElementById('about').textContent.includes('1 without vector')")
    assert browser.value("document.activeElement.id") == "q"
    browser.type(QUERY)
    browser.press("Enter")
    browser.until(_SETTLED)
    assert browser.value("document.querySelectorAll('h2[id^=of-]').length") == 3
    assert "reads all of the question" in browser.value("document.body.innerText")
    browser.press("Escape")
    assert browser.value("document.getElementById('q').value") == QUERY
    assert (browser.value(_COLUMN), browser.value(_FOCUSED)) == ("BM25", "young")
    browser.press("l")
    browser.press("ArrowRight")
    assert (browser.value(_COLUMN), browser.value(_FOCUSED)) == ("hybrid", "young")
    assert browser.value("document.querySelectorAll('.same').length") == 3
    shown = "getComputedStyle(document.activeElement.querySelector('.parts')).display"
    assert browser.value(shown) == "grid"
    assert browser.value("document.activeElement.querySelector('.fill').offsetWidth") > 0
    browser.press("y")
    browser.until("document.querySelectorAll('.hit.yes').length == 3")
    browser.press("j")
    browser.press("n")
    browser.until("!!document.querySelector('.hit.no')")
    browser.press("u")
    browser.until("!document.querySelector('.hit.no')")
    assert JudgedFolder(tmp_path / "judged").grades(QUERY) == {"young": 1}
    browser.press("Enter")
    browser.until("!!document.querySelector('dl dd')")
    browser.press("/")
    assert browser.value("document.activeElement.id") == "q"
    browser.press("Escape")
    browser.press("?")
    assert browser.value("document.querySelector('dialog').open")
    assert browser.complaints == []


def test_in_a_browser_nothing_foreign_runs_or_loads(browser: Browser, served: Served) -> None:
    browser.size(420, 900, dark=True)
    browser.open(f"{served.url}/#q=cats+night&filter=lang%3Dxx")
    browser.until(_SETTLED)
    assert browser.value("document.title") == "page · densehook compare"
    assert "<script>document.title" in browser.value("document.body.innerText")
    assert browser.value("document.querySelectorAll('main img, main i, main script').length") == 0
    assert browser.value("document.documentElement.scrollWidth") <= 420
    heads = "[...document.querySelectorAll('section')].map(s => s.getBoundingClientRect().x)"
    assert len(set(browser.value(heads))) == 1  # the columns stand below one another
    assert browser.complaints == []
    assert all(url.startswith((served.url, "data:")) for url in browser.requested)
    browser.value("fetch('http://127.0.0.1:9/').catch(() => 0), 0")
    browser.until("true")
    ends = time.monotonic() + 30
    while not browser.complaints and time.monotonic() < ends:
        browser.until("true")  # hears what the browser has to say
    assert "Content Security Policy" in " ".join(browser.complaints)


GRADES = {"night": {"young": 2, "money": 0}, "007": {"shots": 1}}
ASKED = {"night": QUERY, "007": "immune system and markets"}


@pytest.fixture(scope="module")
def report(index: densehook.Index, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an evaluation of two systems wrote."""
    folder = tmp_path_factory.mktemp("pooled")
    (folder / "qrels").mkdir()
    rows = [{"_id": id_, "text": text} for id_, text in ASKED.items()]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judged = [f"{q}\t{d}\t{grade}\n" for q, each in GRADES.items() for d, grade in each.items()]
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    densehook.evaluate(folder, index, ["bm25", "dense"], folder / "report")
    return folder / "report"


_PAIR = """!!document.querySelector('.verdict button:not([disabled])') &&
    ['#question', '#pair > .id'].map(each => document.querySelector(each)?.textContent)"""
_FAR = "document.getElementById('far').textContent"
_SHARES = """[...document.querySelectorAll('#shares tr')].map(
    row => [...row.cells].map(cell => cell.textContent))"""


def shows(pair: list[str]) -> str:
    """Whether the page waits for a judgement of this question and document."""
    return f"JSON.stringify({_PAIR}) == JSON.stringify({json.dumps(pair)})"


def test_a_pool_is_judged_by_keys_and_measured_with_what_was_judged(
    browser: Browser, index: densehook.Index, report: Path, tmp_path: Path
) -> None:
    pool = open_pool(report)
    folder = JudgedFolder(tmp_path / "judged", texts=pool.texts, qrels=pool.qrels)
    page = Served(Comparison(index, folder, pool=pool))
    pairs = by_query(pool.begun)
    told = json.loads((report / "metrics.json").read_text())["judged"]
    try:
        browser.size(1300, 900)
        browser.open(page.url)
        browser.until("document.querySelectorAll('#shares tr').length == 2")
        total = f"of {len(pairs)} pairs judged"
        mean = sum(each["share"] for each in told.values()) / 2
        assert browser.value(_FAR) == f"0 {total} · of the first ten hits {mean:.1%} judged"
        shown = {name: share for name, _, share, _ in browser.value(_SHARES)}
        assert shown == {name: f"{each['share']:.1%}" for name, each in told.items()}
        for key, (number, pair) in zip("2n0y", enumerate(pairs), strict=False):
            browser.until(shows([ASKED[pair.query], pair.document]))
            assert browser.value("document.querySelectorAll('#pair img, #pair script').length") == 0
            browser.press(key)
            browser.until(f"{_FAR}.startsWith('{number + 1} {total}')")
        fifth = [ASKED[pairs[4].query], pairs[4].document]
        browser.until(shows(fifth))
        browser.press("s")
        browser.until(f"!!({_PAIR}) && !({shows(fifth)})")
        browser.press("u")
        browser.until(f"{_FAR}.startsWith('3 {total}')")
        browser.until(shows([ASKED[pairs[3].query], pairs[3].document]))
        footer = browser.value("document.getElementById('judged').textContent")
        assert footer == f"6 judgements of 2 questions in {tmp_path / 'judged'}"
        judged = {q: dict(each) for q, each in GRADES.items()}
        for grade, pair in zip((2, 0, 0), pairs, strict=False):
            judged[pair.query][pair.document] = grade
        measured = open_measured(tmp_path / "judged")
        assert (measured.qrels, measured.queries) == (judged, ASKED)
        after = pool.shares(judged)
        assert {name: share for name, _, share, _ in browser.value(_SHARES)} == shown
        browser.open(page.url)
        browser.until("!!document.getElementById('shares')?.textContent.includes('+')")
        rows = browser.value(_SHARES)
        assert {name: share for name, _, share, _ in rows} == {
            name: f"{share:.1%}" for name, share in after.items()
        }
        more = {name: 100 * (share - told[name]["share"]) for name, share in after.items()}
        assert {name: float(moved.replace("=", "0")) for name, *_, moved in rows} == {
            name: pytest.approx(points, abs=0.11) for name, points in more.items()
        }
        browser.value("location.hash = 'search'")
        browser.until("getComputedStyle(document.querySelector('main')).display == 'grid'")
        browser.value("location.hash = 'judge'")
        browser.until(f"document.body.dataset.view == 'judge' && {_FAR}.startsWith('3 {total}')")
        browser.size(400, 800, dark=True)
        browser.until(_PAIR)
        assert browser.value("document.documentElement.scrollWidth") <= 400
        assert browser.complaints == []
    finally:
        page.stop()
    again = measure_runs(
        measured, {name: read_run(report / f"runs/{name}.trec") for name in told}, tmp_path / "anew"
    )
    assert {name: each.share for name, each in again.judged.items()} == pytest.approx(
        after, abs=5e-5
    )


def test_the_command_leads_through_a_pool(
    index: densehook.Index, plugin_node: NodeState, report: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    JudgedFolder(own).judge("another question", "young", 1)
    command = [*COMMAND, "compare", index.name, "--url", plugin_node.url, "--pool", str(report)]
    process = subprocess.Popen(
        [*command, "--depth", "1", "--judgements", str(own)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip().rstrip("/")
    told = ask(url, "pool", order="change")
    begun = open_pool(report, 1).begun
    assert [tuple(pair) for pair in told["pairs"]] == [pair[:2] for pair in begun]
    assert (told["pool"], told["judged"], told["highest"]) == (len(begun), 0, 2)
    assert "order 'systems' is unknown" in ask(url, "pool", order="systems")["error"]
    assert "no question 'q9'" in ask(url, "pair", query="q9", document="young")["error"]
    gone = ask(url, "pair", query="night", document="nobody")
    assert (gone["document"], gone["text"]) == (None, QUERY)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    questions = len({pair.query for pair in begun})
    assert f"{len(begun)} pairs of {questions} questions to judge\n" in err
    assert f"{own} has judgements of 1 other questions, which will be" in err
    assert len((own / "queries.jsonl").read_text().splitlines()) == 1  # nothing was judged


def test_an_index_of_other_documents_has_no_pool(
    plugin_client: Elasticsearch, minilm: Encoder, report: Path, tmp_path: Path
) -> None:
    pool = open_pool(report)
    other = densehook.Index.create(plugin_client, "page-other", minilm, inputs=["text"])
    try:
        comparison = Comparison(other, JudgedFolder(tmp_path), pool=pool)
        with pytest.raises(RequestError, match="'page-other' has none of the documents to judge"):
            comparison.judging.require_documents()
    finally:
        other.drop()


def test_in_a_browser_an_error_is_a_line_in_each_column(browser: Browser, served: Served) -> None:
    browser.open(f"{served.url}/#q=cats&filter=lang")
    browser.until("document.querySelectorAll('main .error').length == 3")
    assert "filter 'lang' is not understood" in browser.value("document.body.innerText")
    served.stop()
    browser.value("document.querySelector('form button').click()")
    browser.until("document.body.innerText.includes('is densehook compare still running?')")
