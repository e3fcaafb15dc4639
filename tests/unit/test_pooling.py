"""What several systems found and nobody judged: all of it, and what would change most first."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from densehook.collections import JudgedFolder, Pool, by_query, open_measured, open_pool
from densehook.errors import CollectionError
from densehook.evaluation import measure_queries
from densehook.evaluation.judged import JUDGED, NO_HITS, judged_of
from densehook.types import Qrels, Run, ScoredDoc

TEXTS = {"q1": "first question", "q2": "second question", "q3": "third question"}
QRELS: Qrels = {"q1": {"a": 2, "b": 0}, "q2": {"c": 1}, "q3": {"d": 0, "e": -1}}


def run_of(**rankings: str) -> Run:
    return {
        query: [ScoredDoc(id_, 100.0 - place) for place, id_ in enumerate(ids.split())]
        for query, ids in rankings.items()
    }


RUNS = {
    "one": run_of(q1="a b x1 x2", q2="y1 c", q3="z1 z2 z3 z4 z5 z6 z7 z8 z9 d e z0"),
    "two": run_of(q1="x1 a x3 b", q2="y1 y2 c"),
}


def write_report(folder: Path, *, texts: bool = True) -> Path:
    """What an evaluation writes, without the JVM: its files are held to that in test_page."""
    (folder / "runs").mkdir(parents=True)
    for name, run in RUNS.items():
        rows = [
            f"{query} Q0 {hit.id} {rank} {hit.score} {name}\n"
            for query, hits in run.items()
            for rank, hit in enumerate(hits, start=1)
        ]
        (folder / "runs" / f"{name}.trec").write_text("".join(rows))
    rows = [
        f"{query} 0 {id_} {grade}\n" for query, each in QRELS.items() for id_, grade in each.items()
    ]
    (folder / "qrels.trec").write_text("".join(rows))
    told = [{"query": query, **({"text": TEXTS[query]} if texts else {})} for query in QRELS]
    (folder / "queries.jsonl").write_text("".join(json.dumps(each) + "\n" for each in told))
    return folder


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return open_pool(write_report(tmp_path / "report"))


def test_a_pool_is_what_some_system_found_first_and_nobody_judged(
    pool: Pool, tmp_path: Path
) -> None:
    found = {(pair.query, pair.document) for pair in pool.begun}
    unjudged = {
        (query, hit.id)
        for run in RUNS.values()
        for query, hits in run.items()
        for hit in hits
        if hit.id not in QRELS[query]
    }
    assert found == unjudged
    shallow = open_pool(tmp_path / "report", depth=2).begun
    assert {(pair.query, pair.document) for pair in shallow} == {
        *(("q1", "x1"), ("q2", "y1"), ("q2", "y2"), ("q3", "z1"), ("q3", "z2"))
    }


def ndcg(run: Run, qrels: Qrels) -> dict[str, float]:
    return {q: m["nDCG@10"] for q, m in measure_queries(run, qrels, ["nDCG@10"]).items()}


def test_a_change_is_what_trec_eval_would_measure_were_it_relevant(
    pool: Pool, tmp_path: Path
) -> None:
    before = {name: ndcg(run, QRELS) for name, run in RUNS.items()}
    pairs = pool.begun
    for pair in pairs:
        judged = {**QRELS, pair.query: {**QRELS[pair.query], pair.document: 1}}
        moved = [
            ndcg(run, judged)[pair.query] - before[name][pair.query] for name, run in RUNS.items()
        ]
        assert pair.change == pytest.approx(max(moved) - min(moved), abs=1e-8)
    shallow = open_pool(tmp_path / "report", depth=2).begun
    assert set(shallow) <= set(pairs)  # how deep a pool is changes nothing of what would change
    changes = [pair.change for pair in pairs]
    assert changes == sorted(changes, reverse=True)
    assert pairs[0][:2] == ("q3", "z1")  # one has it first, the other finds nothing there


def test_query_by_query_comes_first_what_would_change_most(pool: Pool) -> None:
    pairs = pool.begun
    ordered = by_query(pairs)
    assert sorted(ordered) == sorted(pairs)
    sums = [sum(p.change for p in pairs if p.query == query) for query in ("q3", "q1", "q2")]
    assert sums == sorted(sums, reverse=True)
    assert list(dict.fromkeys(pair.query for pair in ordered)) == ["q3", "q1", "q2"]
    for query in QRELS:
        assert [p for p in ordered if p.query == query] == [p for p in pairs if p.query == query]


def test_shares_are_those_of_an_evaluation(pool: Pool) -> None:
    judged = {**QRELS, "q1": {**QRELS["q1"], "x1": 1}}
    for qrels in (QRELS, judged):
        for name, run in RUNS.items():
            values = {
                query: each | ({} if run.get(query) else NO_HITS)
                for query, each in measure_queries(run, qrels, JUDGED).items()
            }
            assert pool.shares(qrels)[name] == pytest.approx(judged_of(values).share, abs=5e-5)
    assert all(pool.shares(judged)[name] > pool.shares(QRELS)[name] for name in RUNS)


def test_of_one_system_what_would_move_it_most_comes_first() -> None:
    pool = Pool({"one": {"q": ["x", "a", "y"]}}, {"q": {"a": 1}}, {"q": "?"})
    first, second = pool.begun
    assert (first.document, second.document) == ("x", "y")
    ideal = 1 + 1 / math.log2(3)
    gained = (1 + 1 / math.log2(3)) / ideal - 1 / math.log2(3)
    assert first.change == pytest.approx(gained)


def judged_folder(pool: Pool, path: Path) -> JudgedFolder:
    return JudgedFolder(path, texts=pool.texts, qrels=pool.qrels)


def test_judgements_of_before_are_taken_over_with_the_first_new_one(
    pool: Pool, tmp_path: Path
) -> None:
    path = tmp_path / "judged"
    folder = judged_folder(pool, path)
    assert folder.all() == (TEXTS, QRELS) and not path.exists()
    folder.judge_query("q1", "x1", 3)
    measured = open_measured(path)
    assert measured.queries == TEXTS
    assert measured.qrels == {**QRELS, "q1": {**QRELS["q1"], "x1": 3}}
    folder.judge_query("q1", "x1", None)
    folder.judge_query("q1", "b", None)
    assert folder.all()[1] == {**QRELS, "q1": {"a": 2}}  # of what is there all can be taken back
    with pytest.raises(CollectionError, match="has no query 'q9'"):
        folder.judge_query("q9", "x1", 1)


def test_a_collection_of_ones_own_keeps_all_in_it(pool: Pool, tmp_path: Path) -> None:
    own = tmp_path / "beir"
    (own / "qrels").mkdir(parents=True)
    (own / "corpus.jsonl").write_text('{"_id": "a", "text": "A"}\n')
    rows = [{"_id": query, "text": text, "metadata": {"n": 1}} for query, text in TEXTS.items()]
    rows.append({"_id": "q8", "text": "unmeasured"})
    (own / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (own / "qrels/dev.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tb\t1\nq8\ta\t1\n")
    (own / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq8\tb\t1\n")
    folder = JudgedFolder(own, "dev", texts=pool.texts, qrels=pool.qrels)
    folder.judge_query("q2", "y1", 1)
    assert open_measured(own, "dev").qrels == {
        "q1": {"b": 1, "a": 2},  # its own grade of b is not that of the report
        "q8": {"a": 1},
        "q2": {"c": 1, "y1": 1},
        "q3": QRELS["q3"],
    }
    assert list(map(json.loads, (own / "queries.jsonl").read_text().splitlines())) == rows
    assert (own / "qrels/test.tsv").read_text() == "query-id\tcorpus-id\tscore\nq8\tb\t1\n"
    assert (own / "qrels.dev.trec").is_file() and not (own / "qrels.trec").exists()
    assert (own / "corpus.jsonl").read_text() == '{"_id": "a", "text": "A"}\n'


def test_queries_that_are_others_or_unknown_are_refused(pool: Pool, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "queries.jsonl").write_text('{"_id": "q2", "text": "something else"}\n')
    with pytest.raises(CollectionError, match=r"'q2' is 'something else' in .* and 'second quest"):
        judged_folder(pool, other)
    bare = open_pool(write_report(tmp_path / "bare", texts=False))
    with pytest.raises(CollectionError, match=r"text of query 'q1' is not known.*--judgements"):
        judged_folder(bare, tmp_path / "new")
    (other / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": query, "text": text}) + "\n" for query, text in TEXTS.items())
    )
    assert judged_folder(bare, other).all() == (TEXTS, QRELS)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("runs/one.trec", None, r"has no runs/\*\.trec; give the folder that densehook evaluate"),
        ("qrels.trec", None, r"has no qrels\.trec; give the folder"),
        ("queries.jsonl", None, r"has no queries\.jsonl; give the folder"),
        ("runs/one.trec", "q1 Q0 a\n", r"one\.trec:1: 3 columns"),
        ("qrels.trec", "q1 0 a yes\n", r"qrels\.trec:1: grade 'yes'"),
        (
            "queries.jsonl",
            '{"query": "q1"}\n{"_id": "q2"}\n',
            r"queries\.jsonl:2: no row of an eva",
        ),
        ("queries.jsonl", "{\n", r"queries\.jsonl:1: Expecting property name"),
    ],
)
def test_a_folder_that_no_evaluation_wrote_is_named(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    report = write_report(tmp_path)
    (report / "runs/two.trec").unlink()
    if content is None:
        (report / name).unlink()
    else:
        (report / name).write_text(content)
    with pytest.raises(CollectionError, match=said):
        open_pool(report)
