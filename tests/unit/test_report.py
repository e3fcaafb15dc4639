"""The report says what was measured, in words, marks and plots, and asks nobody for anything."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from chromium import chromium
from densehook.ann import Built, Point, Study, Way
from densehook.collections import judgements_alone
from densehook.evaluation import Evaluation, evaluating, measure_runs
from densehook.evaluation.gains import gains_of
from densehook.evaluation.latency import Latency
from densehook.report import latex_table, markdown_table, write_report
from densehook.types import Run, ScoredDoc

EVIL = "<script>document.title = 'owned'</script>"


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trec_eval says is the contract tests' matter."""
    monkeypatch.setattr(evaluating, "anserini_jar", lambda: Path("jar"))
    monkeypatch.setattr(evaluating, "find_java", lambda _minimum: Path("java"))
    monkeypatch.setattr(evaluating, "official_means", lambda runs, *_: {name: {} for name in runs})


def runs(queries: int = 40) -> tuple[dict[str, Run], dict[str, dict[str, int]]]:
    """bm25 finds the relevant document at rank 1 or 2, dense at 3, rrf at 1; 'like' as bm25."""
    qrels = {f"q{n}": {f"d{n}": 1, f"e{n}": 0} for n in range(queries)}
    ranks: Mapping[str, int] = {"dense": 3, "rrf": 1}
    chance = random.Random(1)
    made: dict[str, dict[str, list[ScoredDoc]]] = {name: {} for name in ("bm25", "dense", "rrf")}
    made["like"] = {}
    for n in range(queries):
        of_bm25 = chance.choice([1, 2])
        for name, of_query in made.items():
            rank = ranks.get(name, of_bm25)
            ids = [f"e{n}", f"x{n}", f"y{n}"]
            ids.insert(rank - 1, f"d{n}")
            of_query[f"q{n}"] = [ScoredDoc(id_, 9.0 - at) for at, id_ in enumerate(ids)]
    return dict(made), qrels


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    found, qrels = runs()
    about = {"command": "densehook measure qrels", "machine": EVIL}
    return measure_runs(
        judgements_alone("a_b & c", qrels), found, tmp_path, baseline="bm25", about=about
    )


def test_tables_mark_what_differs_and_not_by_chance(evaluation: Evaluation) -> None:
    lines = markdown_table(evaluation).splitlines()
    assert lines[0] == "| a\\_b & c, 40 queries | nDCG@10 | R@100 | AP@100 | RR@10 |"
    assert lines[3].startswith("| dense | 0.5000▼ | **1.0000** | 0.3333▼ |")
    assert lines[4].startswith("| rrf | **1.0000**▲ | **1.0000** | **1.0000**▲ |")
    assert "▲" not in lines[5]
    assert "▼" not in lines[5]
    assert lines[-1].startswith("▲ better, ▼ worse than bm25: randomisation test over the 40")
    latex = latex_table(evaluation)
    assert r"rrf & \textbf{1.0000}$^{\blacktriangle}$ & \textbf{1.0000} &" in latex
    assert latex.count(r"\\") == 5


def test_the_gain_of_fusion_is_counted_by_where_its_hits_are(evaluation: Evaluation) -> None:
    (gains,) = gains_of(evaluation)
    assert (gains.system, gains.total, gains.lost) == ("rrf", 40, 0)
    assert gains.counts == {"both": 40, "bm25 alone": 0, "dense alone": 0, "moved up": 0}


def test_of_three_lists_a_document_is_of_several_of_one_or_of_none(tmp_path: Path) -> None:
    def ranked(*relevant: str) -> Run:
        ids = [*relevant, *(f"x{n}" for n in range(12))]
        return {"q": [ScoredDoc(id_, 99.0 - at) for at, id_ in enumerate(ids)]}

    runs = {"a": ranked("r1", "r2"), "b": ranked("r1"), "c": ranked("r5")}
    fused = {"rrf(a,b,c)": ranked("r1", "r2", "r3")}
    qrels = {"q": {f"r{n}": 1 for n in range(1, 6)}}
    measured = measure_runs(
        judgements_alone("three", qrels), runs | {"other": fused["rrf(a,b,c)"]}, tmp_path
    )
    measured = replace(
        measured,
        systems={**measured.systems, "rrf(a,b,c)": measured.systems["other"]},
        runs={**measured.runs, **fused},
    )
    (gains,) = gains_of(measured)
    assert gains.counts == {"several": 1, "a alone": 1, "b alone": 0, "c alone": 0, "moved up": 1}
    assert gains.lost == 1


def test_the_page_says_it_in_a_sentence_and_shows_queries_with_their_texts(
    evaluation: Evaluation,
) -> None:
    asked: list[list[str]] = []

    def texts_of(ids: list[str]) -> dict[str, str]:
        asked.append(list(ids))
        return {id_: f"text of {id_} {EVIL}" for id_ in ids}

    page = write_report(evaluation, texts_of).read_text()
    assert "rrf is better than bm25, by +0." in page
    assert "like differs from bm25 by +0.0000 nDCG@10" in page
    assert len(asked) == 1  # one request for all
    assert "text of d" in page
    assert "<script" not in page
    assert page.count("<svg") > 5
    for name in ("report.html", "report.md", "report.tex", "metrics.json"):
        assert (evaluation.output / name).stat().st_size


def test_the_page_says_how_long_searches_take_and_which_index_to_take(
    evaluation: Evaluation,
) -> None:
    took = [Latency(1, 100, 12.34, 40.0), Latency(4, 100, 30.0, 88.8)]
    timed = replace(evaluation, latencies={"bm25": took})
    exact = Point(Way("flat"), 1.0, 1.0, 0.9, took)
    study = Study("c", "v", 7, 8, 9, {"flat": Built("flat", 1.0, 2, 3, 4)}, [exact])
    page = write_report(timed, study=study).read_text()
    assert "How long a search takes" in page
    assert "<td>12.3</td><td>40.0</td><td>30.0</td><td>88.8</td>" in page
    assert "Take flat, the exact search: over 7 vectors" in page
    without = write_report(evaluation).read_text()
    assert "How long" not in without
    assert "Which index" not in without
    assert timed.as_json()["latency"]["bm25"][1] == {
        "callers": 4,
        "asked": 100,
        "p50": 30.0,
        "p99": 88.8,
    }


def test_a_page_of_one_run_has_nothing_to_compare(tmp_path: Path) -> None:
    found, qrels = runs(3)
    alone = measure_runs(judgements_alone("alone", qrels), {"bm25": found["bm25"]}, tmp_path)
    page = write_report(alone).read_text()
    assert "bm25 reaches " in page
    assert "query by query" not in page
    assert markdown_table(alone).endswith("|\n\n\n")


LONG = ["a-name-of-nineteen.", "W" * 100, "\u732b" * 80]


def test_in_a_browser_names_of_any_length_are_whole(tmp_path: Path) -> None:
    found, qrels = runs(12)
    named = dict(zip(["short", *LONG], found.values(), strict=True))
    url = write_report(measure_runs(judgements_alone("n", qrels), named, tmp_path)).as_uri()
    inside = """[...document.querySelector('svg').querySelectorAll('text')].filter(each => {
        const [box, all] = [each, each.ownerSVGElement].map(e => e.getBoundingClientRect());
        return box.left >= all.left - 1 && box.right <= all.right + 1 && box.top >= all.top - 1;
    }).map(each => each.textContent)"""
    with chromium() as browser:
        browser.size(1000, 900)
        browser.open(url)
        assert set(browser.value(inside)) >= {"short", *LONG}
        browser.screenshot(tmp_path / "long.png")


def test_in_a_browser_it_fits_and_loads_nothing(evaluation: Evaluation, tmp_path: Path) -> None:
    url = write_report(evaluation, lambda ids: dict.fromkeys(ids, EVIL)).as_uri()
    with chromium() as browser:
        for width, dark in ((400, True), (1400, False)):
            browser.size(width, 900, dark=dark)
            browser.open(url)
            assert browser.value("document.documentElement.scrollWidth") <= width
            browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert browser.value("document.documentElement.scrollWidth") <= width
            assert EVIL in browser.value("document.body.innerText")
            ink = browser.value("getComputedStyle(document.querySelector('svg text')).fill")
            assert ink == browser.value("getComputedStyle(document.body).color")
            browser.screenshot(tmp_path / f"{width}.png")
            assert (tmp_path / f"{width}.png").stat().st_size > 10_000
        assert browser.value("document.title") == "a_b & c: an evaluation"
        assert browser.complaints == []
        assert {each for each in browser.requested if not each.startswith("data:")} == {url}
