"""Published figures: each file can be read and says who published it; a wrong one is seen."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from densehook.errors import CollectionError
from densehook.evaluation import SYSTEMS, Evaluation, check_measures
from densehook.reproduce import compared, data_folder, known_regressions, read_regression
from tiny_collection import write_beir

MINE = """
title = "Mine"
folder = "mine"

[[run]]
system = "dense"
encoder = "tiny"
expected = { "nDCG@10" = 0.7 }
source = "measured here"
"""


def evaluation(**systems: dict[str, float]) -> Evaluation:
    return Evaluation("mine", 20, systems, Path("reproduced"))


@pytest.mark.parametrize("name", known_regressions())
def test_each_known_collection_has_figures_and_their_sources(name: str) -> None:
    regression = read_regression(name)
    assert regression.folder == name
    assert regression.runs[0].system == "pyserini-bm25"
    assert "bge-base-en-v1.5" in regression.encoders
    for run in regression.runs:
        assert run.system in SYSTEMS
        assert check_measures(run.expected) == list(run.expected)
        assert len(run.source) > 20


def test_scifact_has_the_figures_that_everybody_knows() -> None:
    runs = read_regression("scifact").runs_of("all-minilm-l6-v2")
    assert [(run.system, *run.expected.values()) for run in runs] == [
        ("pyserini-bm25", 0.6789, 0.9253),
        ("dense", 0.6451, 0.9250),
        ("pyserini-rrf", 0.7178),
        ("pyserini-linear", 0.7320),
    ]
    assert [run.within("flat") for run in runs] == [0.0001, 0.001, 0.001, 0.001]
    assert [run.within("int8_hnsw") for run in runs] == [0.0001, 0.005, 0.005, 0.005]


def test_a_figure_passes_within_its_tolerance_and_not_beyond(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    mine = read_regression(str(tmp_path / "mine.toml"))
    for measured, passed in ((0.7010, True), (0.6990, True), (0.7011, False), (0.6989, False)):
        (outcome,) = compared(mine, "tiny", "flat", evaluation(dense={"nDCG@10": measured}))
        assert (outcome.passed, outcome.source) == (passed, "measured here")
    assert compared(mine, "other", "flat", evaluation()) == []
    (tmp_path / "mine.toml").write_text(MINE + "tolerance = 0.02\n")
    strict = read_regression(str(tmp_path / "mine.toml"))
    (outcome,) = compared(strict, "tiny", "flat", evaluation(dense={"nDCG@10": 0.72}))
    assert outcome.passed


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('title = "Mine"\n', "", "lacks 'title'"),
        ('title = "Mine"', 'title = ""', "title is ''; it must be text"),
        ("[[run]]", "[run]", r"run must be a table for each system, as \[\[run\]\]"),
        ("[[run]]", "[[runs]]", "lacks 'run'"),
        ('{ "nDCG@10" = 0.7 }', "0.7", "run 1: expected must have a figure from 0 to 1 for each"),
        ("0.7", '"0.7"', "run 1: expected must have a figure from 0 to 1"),
        ("0.7", "70", "run 1: expected must have a figure from 0 to 1"),
        ("0.7", "true", "run 1: expected must have a figure from 0 to 1"),
        ('source = "measured here"\n', "", "lacks 'source'"),
        ("source", "sorce", "run 1: 'sorce' is unknown"),
        ("source", "tolerance = 2\nsource", "run 1: tolerance is 2; it must be a number below 1"),
        ("title =", "title", "is no TOML: "),
    ],
)
def test_a_file_that_says_not_what_is_needed_is_one_line(
    was: str, now: str, said: str, tmp_path: Path
) -> None:
    assert was in MINE
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(was, now))
    with pytest.raises(CollectionError, match=f"^{path}.*{said}") as caught:
        read_regression(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_collection_is_named_beside_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="no figures of 'nq' are known; known: arguana, fiqa"):
        read_regression("nq")
    with pytest.raises(CollectionError, match=r"nq.toml cannot be read: No such file"):
        read_regression(str(tmp_path / "nq.toml"))


def test_what_is_absent_is_said_and_where_it_was_looked_for(tmp_path: Path) -> None:
    scifact = read_regression("scifact")
    said = f"BEIR SciFact is not there: looked for corpus.jsonl, .* in {tmp_path}/scifact; get"
    with pytest.raises(CollectionError, match=said):
        data_folder(scifact, tmp_path)
    folder = write_beir(tmp_path / "scifact")
    assert data_folder(scifact, tmp_path) == data_folder(scifact, folder) == folder
    corpus = folder / "corpus.jsonl"
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.read_bytes()))
    corpus.unlink()
    assert data_folder(scifact, tmp_path) == folder
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(CollectionError, match=r"scifact is not whole: it lacks qrels/test.tsv of"):
        data_folder(scifact, folder)
