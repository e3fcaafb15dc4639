"""What a study of approximate search recommends, and what it refuses to try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from densehook.ann import Built, Point, Study, Way, check_kinds
from densehook.ann.memory import expected_memory
from densehook.ann.ways import check_candidates, check_oversamples, ways_of
from densehook.errors import RequestError
from densehook.evaluation.latency import Latency
from densehook.report import recommendation, study_table, write_study


def point(way: Way, recall: float, quality: float, ms: float) -> Point:
    times = [Latency(callers, 200, ms * callers, 2 * ms * callers) for callers in (1, 4)]
    return Point(way, recall, None if (way.num_candidates or 100) < 100 else recall, quality, times)


def study(*points: Point, skipped: str = "") -> Study:
    memory = {"flat": 8_000_000, "hnsw": 9_000_000, "int8_hnsw": 3_000_000, "bbq_hnsw": 1_000_000}
    built = {
        kind: Built(kind, 2.5, 2 * size, size, 500_000_000)
        for kind, size in memory.items()
        if kind in {each.way.kind for each in points}
    }
    why = {"int4_hnsw": skipped} if skipped else {}
    return Study("sci<fact>", "embedding", 5183, 384, 300, built, points, why)


EXACT = point(Way("flat"), 1.0, 0.6451, 4.0)


def test_the_smallest_of_the_quickest_that_lose_next_to_nothing_is_recommended() -> None:
    rough = point(Way("bbq_hnsw", 20, 0), 0.62, 0.6100, 0.5)
    small = point(Way("bbq_hnsw", 100, 3), 0.97, 0.6440, 1.05)
    quick = point(Way("int8_hnsw", 50, 0), 0.99, 0.6449, 1.0)
    slow = point(Way("hnsw", 500), 1.0, 0.6451, 3.0)
    measured = study(EXACT, rough, small, quick, slow)
    assert measured.recommended is small
    assert [each.way.kind for each in measured.frontier] == ["bbq_hnsw", "int8_hnsw", "hnsw"]
    said = recommendation(measured)
    assert said.startswith(
        "Take bbq_hnsw, 100 candidates, oversample 3: it finds 97.0% of the exact search's first"
        " ten, with nDCG@10 0.6440 against 0.6451."
    )
    assert "1.1 ms or less, 99 of 100 2.1 ms, in 1.0 MB of memory" in said


@pytest.mark.parametrize(
    "worse",
    [
        point(Way("int8_hnsw", 20, 0), 0.949, 0.6451, 1.0),
        point(Way("int8_hnsw", 20, 0), 1.0, 0.6400, 1.0),
        point(Way("int8_hnsw", 20, 0), 1.0, 0.6451, 5.0),
    ],
    ids=["finds too little", "ranks too low", "is slower"],
)
def test_otherwise_it_is_the_exact_search(worse: Point) -> None:
    measured = study(EXACT, worse)
    assert measured.recommended is EXACT
    assert recommendation(measured).startswith("Take flat, the exact search: over 5,183 vectors")


@pytest.mark.parametrize(
    ("kind", "bytes_of_one"),
    [
        ("flat", 384 * 4),
        ("hnsw", 384 * 4 + 64),
        ("int8_hnsw", 384 + 4 + 64),
        ("int4_hnsw", 192 + 4 + 64),
        ("bbq_hnsw", 48 + 14 + 64),
    ],
)
def test_memory_is_that_of_elasticsearchs_rule(kind: str, bytes_of_one: int) -> None:
    assert expected_memory({"dims": 384}, {"type": kind}, 1000) == 1000 * bytes_of_one


def test_each_kind_is_searched_in_the_ways_it_has() -> None:
    assert ways_of("flat", [20, 50], [0, 3]) == [Way("flat")]
    assert ways_of("hnsw", [20, 50], [0, 3]) == [Way("hnsw", 20), Way("hnsw", 50)]
    assert [str(way) for way in ways_of("int4_hnsw", [20], [0, 1.5])] == [
        "int4_hnsw, 20 candidates, not rescored",
        "int4_hnsw, 20 candidates, oversample 1.5",
    ]
    assert check_kinds(["hnsw", "hnsw"]) == ["flat", "hnsw"]


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (lambda: check_kinds(["ivf"]), "no index type 'ivf'; known are hnsw, int8_hnsw"),
        (lambda: check_candidates([5]), "5 candidates cannot be; give numbers from 10 to 10,000"),
        (lambda: check_oversamples([0.5]), "oversample 0.5 cannot be; give 0, or from 1"),
    ],
)
def test_what_cannot_be_tried_is_refused(refused: Callable[[], object], reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        refused()


def test_page_table_and_json_say_what_was_measured(tmp_path: Path) -> None:
    measured = study(
        EXACT, point(Way("hnsw", 50), 0.99, 0.6450, 1.0), skipped="<b>dims</b> must be even"
    )
    page = write_study(measured, tmp_path, {"command": "densehook ann"}).read_text()
    assert page.count('class="dot kind') == 2 + 2  # in the plot, and in its key
    assert "&lt;b&gt;dims&lt;/b&gt; must be even" in page
    assert "sci&lt;fact&gt;" in page
    table = study_table(measured).splitlines()
    assert table[2].startswith("| 5,183 vectors of 384 dimensions | recall@10 | recall@100 |")
    assert table[2].count("|") == table[3].count("|") == table[4].count("|")
    assert table[5].startswith("| **hnsw, 50 candidates** | 0.9900 |  | 0.6450 | 1.0 | 2.0 | 4.0 |")
    assert (tmp_path / "ann.json").stat().st_size > 500
