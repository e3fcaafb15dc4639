"""Systems: each run is made once, from the right parts, and a query never finds itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densehook.collections import Collection, read_run
from densehook.errors import ElasticError, EvaluationError, RequestError
from densehook.evaluate import reranker
from densehook.evaluation import (
    DEFAULT_MEASURES,
    SYSTEMS,
    evaluate,
    modes_of,
    needs_encoder,
    needs_reranker,
    systems_for,
    title_and_text,
)
from densehook.evaluation import evaluating as evaluation_module
from densehook.fusion import linear_combination
from densehook.types import Document, Run, ScoredDoc

QUERIES = {"q1": "first", "d9": "a query that is a document"}
QRELS = {"q1": {"a": 1}, "d9": {"b": 1}}
RUNS: Mapping[str, Run] = {
    "bm25": {
        "q1": [ScoredDoc("a", 3.0), ScoredDoc("b", 2.0)],
        "d9": [ScoredDoc("d9", 9.0), ScoredDoc("b", 1.0)],
    },
    "dense": {"q1": [ScoredDoc("b", 0.9), ScoredDoc("c", 0.8)]},
}


class FakeSearcher:
    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    lacks: Sequence[str] = ()

    def lacking(self, ids: Sequence[str]) -> list[str]:
        return [id_ for id_ in ids if id_ in self.lacks]

    def search(self, queries, mode, depth, on_progress=lambda done: None) -> Run:
        assert queries == QUERIES
        self.asked.append((mode, depth))
        on_progress(len(queries))
        return RUNS[mode]

    def rescored(self, queries, run, on_progress=lambda done: None) -> Run:
        assert queries == QUERIES
        self.asked.append(("rescored", len(run["q1"])))
        on_progress(len(queries))
        return {
            id_: [ScoredDoc(hit.id, -n) for n, hit in enumerate(ranking[::-1])]
            for id_, ranking in run.items()
        }


@pytest.fixture
def collection() -> Collection:
    return Collection("little", lambda: iter([Document("a", {"text": "x"})]), QUERIES, QRELS)


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trec_eval says is the contract tests' matter."""
    monkeypatch.setattr(evaluation_module, "anserini_jar", lambda: Path("jar"))
    monkeypatch.setattr(evaluation_module, "find_java", lambda _minimum: Path("java"))
    monkeypatch.setattr(
        evaluation_module, "official_means", lambda runs, *_: {name: {} for name in runs}
    )


def ranking(folder: Path, system: str, query: str) -> list[str]:
    return [hit.id for hit in read_run(folder / "runs" / f"{system}.trec").get(query, [])]


def test_a_run_that_several_systems_need_is_searched_once(
    collection: Collection, tmp_path: Path
) -> None:
    searcher = FakeSearcher()
    evaluate(collection, ["rrf", "linear", "dense"], searcher, tmp_path, depth=10)
    assert searcher.asked == [("bm25", 11), ("dense", 11)]


def test_only_the_systems_asked_for_are_written_in_the_order_asked_for(
    collection: Collection, tmp_path: Path
) -> None:
    evaluation = evaluate(collection, ["rrf", "dense"], FakeSearcher(), tmp_path)
    assert list(evaluation.systems) == ["rrf", "dense"]
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"rrf.trec", "dense.trec"}


def test_any_lists_are_fused_runs_of_others_among_them(
    collection: Collection, tmp_path: Path
) -> None:
    mine = {"q1": [ScoredDoc("c", 1.0), ScoredDoc("a", 7.0)]}
    name = "linear(bm25,dense,mine)"
    evaluation = evaluate(
        collection,
        ["linear( bm25, dense, mine)", "bm25"],
        FakeSearcher(),
        tmp_path,
        runs={"mine": mine},
    )
    assert list(evaluation.systems) == [name, "bm25", "mine"]
    lists = [list(run["q1"]) for run in (RUNS["bm25"], RUNS["dense"], mine)]
    assert ranking(tmp_path, name, "q1") == [hit.id for hit in linear_combination(lists)]
    assert ranking(tmp_path, name, "d9") == ["b"], "a list need not know every query"
    evaluate(collection, ["bm25"], FakeSearcher(), tmp_path)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["bm25.trec"]


def test_any_run_is_put_into_the_order_of_its_token_vectors(
    collection: Collection, tmp_path: Path
) -> None:
    searcher = FakeSearcher()
    mine = {"q1": [ScoredDoc("c", 2.0), ScoredDoc("a", 1.0)]}
    wanted = ["dense+maxsim", "rrf+maxsim", "mine+maxsim", "rrf(bm25,dense+maxsim)"]
    evaluation = evaluate(collection, wanted, searcher, tmp_path, runs={"mine": mine})
    assert list(evaluation.systems) == [*wanted, "mine"]
    assert ranking(tmp_path, "dense+maxsim", "q1") == ["c", "b"]
    assert ranking(tmp_path, "mine+maxsim", "q1") == ["a", "c"]
    assert [mode for mode, _ in searcher.asked].count("dense") == 1
    with pytest.raises(EvaluationError, match=r"no list 'smell' to make 'smell\+maxsim' of"):
        evaluate(collection, ["smell+maxsim"], searcher, tmp_path)


def test_it_is_known_how_systems_ask_the_index() -> None:
    assert modes_of(["rrf", "pyserini-bm25"]) == ["bm25", "dense"]
    assert modes_of(["maxsim"]) == ["bm25", "maxsim"]
    assert modes_of(["dense+maxsim"]) == ["dense", "maxsim"]
    assert modes_of(["rrf(dense-first,mine)+rerank", "mine"]) == ["dense-first"]
    assert needs_encoder(["bm25+maxsim"]) and not needs_encoder(["bm25+rerank"])
    assert needs_reranker(["dense+maxsim+rerank"]) and not needs_reranker(["dense+maxsim"])
    assert systems_for("dense", bm25=False) == ["dense"]
    assert "rrf" in systems_for("dense")


def test_a_cross_encoder_reads_so_many_hits_and_chunks_as_are_asked_for() -> None:
    asked: list[Any] = []

    def score_best(query: str, texts: Sequence[str], chunks: int | None) -> Any:
        asked.append((list(texts), chunks))
        return SimpleNamespace(scores=np.arange(len(texts), dtype=float))

    scorer = SimpleNamespace(manifest=SimpleNamespace(of=lambda kind: None), score_best=score_best)
    texts = SimpleNamespace(
        require_texts=lambda: asked.append("texts"), texts_of=lambda ids: {i: i for i in ids}
    )
    little = Collection("little", lambda: iter(()), {"q1": "first"}, {"q1": {"a": 1}})
    rerank = reranker(scorer, little, texts, window=2, chunks=3)
    run = rerank("bm25", {"q1": [ScoredDoc(id_, 1.0) for id_ in "abc"]})
    assert [hit.id for hit in run["q1"]] == ["b", "a", "c"]
    assert asked == ["texts", (["a", "b"], 3)]
    for name in ("window", "chunks"):
        with pytest.raises(RequestError, match=f"rerank_{name} is 0; it must be 1 or more"):
            reranker(scorer, little, texts, **{name: 0})


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("sum(bm25,dense)", r"no system 'sum\(bm25,dense\)'; known are bm25, "),
        ("rrf(bm25,mine)", r"no list 'mine' to make 'rrf\(bm25,mine\)' of; give it as a run"),
        ("rrf(bm25)", r"'rrf\(bm25\)' must name two lists or more, each once"),
        ("rrf(bm25,dense,bm25)", "must name two lists or more, each once"),
    ],
)
def test_a_fusion_that_cannot_be_is_refused(
    collection: Collection, tmp_path: Path, system: str, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(collection, [system], FakeSearcher(), tmp_path)


def test_metrics_json_holds_what_the_evaluation_says(
    collection: Collection, tmp_path: Path
) -> None:
    evaluation = evaluate(collection, ["dense"], FakeSearcher(), tmp_path)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written == json.loads(json.dumps(evaluation.as_json()))
    assert (written["collection"], written["queries"]) == ("little", 2)
    assert written["systems"] == {"dense": dict.fromkeys(DEFAULT_MEASURES, 0.0)}
    assert written["intervals"] == {"dense": {name: [0.0, 0.0] for name in DEFAULT_MEASURES}}
    assert "differences" not in written  # of one system
    rows = [json.loads(line) for line in (tmp_path / "queries.jsonl").read_text().splitlines()]
    assert [row["query"] for row in rows] == list(QUERIES)
    assert rows[0]["text"] == "first"
    assert rows[0]["systems"] == {"dense": dict.fromkeys(DEFAULT_MEASURES, 0.0)}
    assert (tmp_path / "qrels.trec").read_text() == "q1 0 a 1\nd9 0 b 1\n"


def test_each_kind_of_query_is_measured_by_itself(collection: Collection, tmp_path: Path) -> None:
    kinds = {"d9": "document", "q1": "question"}
    told = Collection(collection.name, collection.documents, QUERIES, QRELS, kinds)
    evaluation = evaluate(told, ["dense", "bm25"], FakeSearcher(), tmp_path)
    assert list(evaluation.kinds) == ["question", "document"]  # as their queries come
    assert [kind.queries for kind in evaluation.kinds.values()] == [1, 1]
    question, document = evaluation.kinds.values()
    assert question.systems["bm25"] == dict.fromkeys(DEFAULT_MEASURES, 1.0)
    assert document.systems["dense"] == dict.fromkeys(DEFAULT_MEASURES, 0.0)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["kinds"]["document"]["queries"] == 1
    assert list(written["kinds"]["document"]["systems"]) == ["dense", "bm25"]


def test_systems_that_serve_are_timed_and_one_that_fails_costs_no_run(
    collection: Collection, tmp_path: Path
) -> None:
    def refuse(_text: str) -> None:
        raise ElasticError("the cluster is busy")

    evaluation = evaluate(
        collection,
        ["bm25", "dense"],
        FakeSearcher(),
        tmp_path,
        timed={"bm25": lambda _text: None, "dense": refuse, "rrf": refuse},
    )
    assert list(evaluation.latencies) == ["bm25"]
    assert [each.callers for each in evaluation.latencies["bm25"]] == [1, 4]
    assert evaluation.warnings[0] == "how long dense takes is not known: the cluster is busy"
    assert set(evaluation.systems) == {"bm25", "dense"}


def test_runs_of_others_join_and_are_compared_with_the_baseline(
    collection: Collection, tmp_path: Path
) -> None:
    theirs = {"q1": [ScoredDoc("b", 1.0), ScoredDoc("a", 0.5)], "unjudged": [ScoredDoc("a", 1.0)]}
    evaluation = evaluate(
        collection,
        ["bm25"],
        FakeSearcher(),
        tmp_path,
        runs={"theirs": theirs},
        baseline="theirs",
        measures=["MRR@10", "P@1"],
    )
    assert evaluation.systems == {
        "bm25": {"RR@10": 1.0, "P@1": 1.0},
        "theirs": {"RR@10": 0.25, "P@1": 0.0},
    }
    assert [(each.system, each.measure) for each in evaluation.differences] == [
        ("bm25", "RR@10"),
        ("bm25", "P@1"),
    ]
    found = evaluation.difference("bm25", "RR@10")
    assert found is not None
    assert (found.mean, found.better, found.worse, found.queries) == (0.75, 2, 0, 2)
    assert evaluation.difference("theirs", "RR@10") is None
    assert ranking(tmp_path, "theirs", "unjudged") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"baseline": "rrf"}, "baseline 'rrf' is not measured; there is bm25, mine"),
        ({"measures": ["nDCG@x"]}, r"no measure 'nDCG@x'.* as ir_measures does, as nDCG@10"),
        ({"measures": []}, "no measure to take"),
        ({"runs": {"../mine": {"q1": [ScoredDoc("a", 1.0)]}}}, r"cannot be called '../mine'"),
        ({"runs": {"bm25": {"q1": [ScoredDoc("a", 1.0)]}}}, "'bm25' has the name of a system"),
        ({"runs": {"linear": {"q1": [ScoredDoc("a", 1.0)]}}}, "'linear' has the name of a system"),
        (
            {"runs": {"mine": {"1": [], "2": [], "3": [], "4": []}}},
            r"no query that is judged: it has '1', '2', '3', …, judged are 'q1', 'd9'",
        ),
        (
            {"runs": {"mine": {"q1": [ScoredDoc("A", 1.0)]}}},
            r"no document that is judged: it has 'A', judged are 'a', 'b'",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_search(
    collection: Collection, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    searcher = FakeSearcher()
    given = {"runs": {"mine": {"q1": [ScoredDoc("a", 1.0)]}}, **options}
    with pytest.raises(EvaluationError, match=said):
        evaluate(collection, ["bm25"], searcher, tmp_path, **given)
    assert searcher.asked == []


def test_an_index_of_other_documents_is_no_zero(collection: Collection, tmp_path: Path) -> None:
    searcher = FakeSearcher()
    searcher.lacks = ["a", "b"]
    with pytest.raises(
        EvaluationError, match=r"none of the documents .* in little \('a', 'b'\); it"
    ):
        evaluate(collection, ["bm25"], searcher, tmp_path)
    assert searcher.asked == []
    searcher.lacks = ["b"]
    evaluation = evaluate(collection, ["bm25"], searcher, tmp_path)
    (said,) = evaluation.warnings
    assert said.startswith("1 of 2 relevant documents are not in the index ('b'): every figure")
    assert json.loads((tmp_path / "metrics.json").read_text())["warnings"] == [said]


def test_what_an_evaluation_before_left_is_not_taken_for_this_ones(
    collection: Collection, tmp_path: Path
) -> None:
    evaluate(collection, ["bm25", "dense"], FakeSearcher(), tmp_path)
    (tmp_path / "report.html").write_text("of both")
    (tmp_path / "runs" / "mine.trec").touch()
    evaluate(collection, ["dense"], FakeSearcher(), tmp_path)
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"dense.trec", "mine.trec"}
    assert not (tmp_path / "report.html").exists()


def test_a_folder_of_something_else_is_left_alone(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    searcher = FakeSearcher()
    with pytest.raises(EvaluationError, match=r"holds something else \('thesis.tex'\); name anoth"):
        evaluate(collection, ["bm25"], searcher, tmp_path)
    assert searcher.asked == []
    with pytest.raises(EvaluationError, match=r"thesis.tex cannot be used: Not a directory"):
        evaluate(collection, ["bm25"], searcher, tmp_path / "thesis.tex")
    (tmp_path / "metrics.json").write_text('{"systems": {"../thesis": {}}, "loss": 0.5}')
    with pytest.raises(EvaluationError, match=r"'a metrics.json of another kind'"):
        evaluate(collection, ["bm25"], searcher, tmp_path)
    ours = {"collection": "c", "queries": 1, "systems": {"../thesis": {}, "old": {}}}
    (tmp_path / "metrics.json").write_text(json.dumps(ours))  # with notes beside it
    (tmp_path / "thesis.trec").touch()
    evaluate(collection, ["bm25"], searcher, tmp_path)
    assert (tmp_path / "thesis.trec").exists()
    assert (tmp_path / "thesis.tex").exists()


def test_hybrid_runs_are_our_fusion_of_both_searches(
    collection: Collection, tmp_path: Path
) -> None:
    evaluate(collection, ["rrf", "linear"], FakeSearcher(), tmp_path)
    found = read_run(tmp_path / "runs" / "rrf.trec")["q1"]
    assert [hit.id for hit in found] == ["b", "a", "c"]
    assert [hit.score for hit in found] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])
    assert ranking(tmp_path, "linear", "q1") == ["b", "a", "c"]  # a and b tie: as trec_eval reads


def test_a_query_never_finds_itself(collection: Collection, tmp_path: Path) -> None:
    evaluate(collection, ["bm25", "rrf"], FakeSearcher(), tmp_path)
    assert ranking(tmp_path, "bm25", "d9") == ["b"]
    assert ranking(tmp_path, "rrf", "d9") == ["b"]


def test_a_document_judged_relevant_stays_though_it_has_the_querys_id(
    collection: Collection, tmp_path: Path
) -> None:
    judged = Collection("little", collection.documents, QUERIES, {**QRELS, "d9": {"d9": 1}})
    evaluate(judged, ["bm25"], FakeSearcher(), tmp_path)
    assert ranking(tmp_path, "bm25", "d9") == ["d9", "b"]


def test_rankings_are_cut_at_the_depth_after_the_query_itself_is_dropped(
    collection: Collection, tmp_path: Path
) -> None:
    evaluate(collection, ["bm25", "rrf"], FakeSearcher(), tmp_path, depth=1)
    assert ranking(tmp_path, "bm25", "d9") == ["b"]
    assert ranking(tmp_path, "bm25", "q1") == ["a"]
    assert ranking(tmp_path, "rrf", "q1") == ["a"]


@pytest.mark.parametrize(
    ("systems", "message"),
    [(["dense", "tfidf"], "no system 'tfidf'; known are bm25, "), ([], "no system to evaluate;")],
)
def test_unknown_systems_are_refused_before_any_search(
    collection: Collection, tmp_path: Path, systems: list[str], message: str
) -> None:
    searcher = FakeSearcher()
    with pytest.raises(EvaluationError, match=message) as refused:
        evaluate(collection, systems, searcher, tmp_path)
    assert all(name in str(refused.value) for name in SYSTEMS)
    assert searcher.asked == []


def test_progress_is_told_from_start_to_end(collection: Collection, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    evaluate(
        collection,
        ["dense"],
        FakeSearcher(),
        tmp_path,
        progress=lambda label, done, total: told.append((label, done, total)),
    )
    assert told == [
        ("searching dense", 0, 2),
        ("searching dense", 2, 2),
        ("measuring", 0, 1),
        ("measuring", 1, 1),
    ]


def test_every_part_of_a_system_is_a_system() -> None:
    assert all(part in SYSTEMS for system in SYSTEMS.values() for part in system.parts)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": "A", "text": "b"}, "A b"),
        ({"title": "", "text": "b"}, "b"),
        ({"text": "b", "url": "u"}, "b"),
        ({"title": "A", "text": None}, "A"),
        ({}, ""),
    ],
)
def test_a_documents_text_is_title_and_text_with_one_space(
    fields: dict[str, object], text: str
) -> None:
    assert title_and_text(Document("d", fields)) == text
