"""TREC files say exactly what a run says, or the run is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.collections import read_run, write_qrels, write_run
from densehook.errors import CollectionError
from densehook.types import ScoredDoc

ids = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8)
hits = st.builds(ScoredDoc, ids, st.floats(allow_nan=False, allow_infinity=False))
rankings = st.lists(hits, min_size=1, max_size=5, unique_by=lambda hit: hit.id)


@given(run=st.dictionaries(ids, rankings, max_size=4))
def test_a_run_reads_back_with_the_same_order_and_floats(tmp_path_factory, run) -> None:
    path = tmp_path_factory.mktemp("runs") / "deep" / "run.trec"
    write_run(path, run)
    assert read_run(path) == run


def test_a_run_has_trecs_six_columns(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"001": [ScoredDoc("d1", 0.1), ScoredDoc("007", -1e-07)]}, "bm25")
    lines = (tmp_path / "run").read_text().splitlines()
    assert lines == ["001 Q0 d1 1 0.1 bm25", "001 Q0 007 2 -1e-07 bm25"]


def test_qrels_have_trecs_four_columns(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", {"001": {"d1": 2, "d2": 0}})
    assert (tmp_path / "qrels").read_text() == "001 0 d1 2\n001 0 d2 0\n"


@pytest.mark.parametrize("id_", ["a b", "a\tb", "a\n", " a", "a\u00a0b", "", "a\0b"])
def test_ids_that_a_trec_file_cannot_hold_are_refused(tmp_path: Path, id_: str) -> None:
    with pytest.raises(CollectionError, match=r"document id .* cannot be written to a TREC file"):
        write_run(tmp_path / "run", {"q": [ScoredDoc(id_, 1.0)]})
    with pytest.raises(CollectionError, match="query id"):
        write_run(tmp_path / "run", {id_: [ScoredDoc("d", 1.0)]})
    with pytest.raises(CollectionError, match="document id"):
        write_qrels(tmp_path / "qrels", {"q": {id_: 1}})


def test_a_document_twice_in_one_ranking_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="query 'q' has document 'd' twice"):
        write_run(tmp_path / "run", {"q": [ScoredDoc("d", 2.0), ScoredDoc("d", 1.0)]})


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CollectionError, match=r"run.trec cannot be written: ") as refused:
        write_run(tmp_path / "file" / "run.trec", {"q": [ScoredDoc("d", 1.0)]})
    assert "\n" not in str(refused.value)
    with pytest.raises(CollectionError, match=r"cannot be written: No space left on device"):
        write_run(Path("/dev/full"), {"q": [ScoredDoc("d", 1.0)]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 d 1 0.5 t\nq Q0 d 2 0.5\n", ":2: 5 columns"),
        ("q Q0 d 1 high t\n", ":1: score 'high' is not a number"),
        ("q Q0 d 1 nan t\n", ":1: score 'nan' is not a number"),
        ("q Q0 d 1 1e999 t\n", ":1: score '1e999' is not a number"),
        (
            "q Q0 d 1 0.5 t\nq Q0 e 1 0.5 t\nq Q0 d 3 0.1 t\n",
            ":3: query 'q' has document 'd' twice",
        ),
    ],
)
def test_a_line_that_is_no_runs_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run").write_text(text)
    with pytest.raises(CollectionError, match=message):
        read_run(tmp_path / "run")


def test_a_run_is_read_however_it_was_saved(tmp_path: Path) -> None:
    text = "q Q0 d 1 .5 t\nq\tQ0\te\t2\t-1.25E-2\tt\n\n"
    for content in (
        text.encode(),
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        gzip.compress(text.rstrip().encode()),
    ):
        (tmp_path / "run").write_bytes(content)
        assert read_run(tmp_path / "run") == {"q": [ScoredDoc("d", 0.5), ScoredDoc("e", -0.0125)]}


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_no_ranking_can_have_is_refused(tmp_path: Path, score: float) -> None:
    with pytest.raises(CollectionError, match="query 'q' gives document 'd' the score"):
        write_run(tmp_path / "run", {"q": [ScoredDoc("d", score)]})


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r"there is no file .*gone.trec"):
        read_run(tmp_path / "gone.trec")
