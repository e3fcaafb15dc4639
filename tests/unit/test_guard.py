"""A drop is one that is larger than tolerated and no chance; what cannot be compared is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from densehook.collections import judgements_alone
from densehook.errors import CollectionError, EvaluationError
from densehook.evaluation import Evaluation, drops, evaluating, kept_at, measure_runs
from densehook.types import ScoredDoc

QRELS = {f"q{n}": {f"d{n}": 1} for n in range(30)}


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trec_eval says is the contract tests' matter."""
    monkeypatch.setattr(evaluating, "anserini_jar", lambda: Path("jar"))
    monkeypatch.setattr(evaluating, "find_java", lambda _minimum: Path("java"))
    monkeypatch.setattr(evaluating, "official_means", lambda runs, *_: {name: {} for name in runs})


def run(late: int) -> dict[str, list[ScoredDoc]]:
    """A run that has the relevant document second for so many queries, else first."""
    return {
        f"q{n}": [ScoredDoc(f"d{n}", 1.5 if n < late else 3.0), ScoredDoc("x", 2.0)]
        for n in range(30)
    }


def measured(folder: Path, late: int, name: str = "dense") -> Evaluation:
    return measure_runs(judgements_alone("little", QRELS), {name: run(late)}, folder)


def test_a_drop_is_told_with_its_p(tmp_path: Path) -> None:
    measured(tmp_path / "before", 0)
    kept = kept_at(tmp_path / "before" / "metrics.json")
    found = drops(measured(tmp_path / "now", 20), kept, 0.003)
    assert [each.measure for each in found] == ["nDCG@10", "AP@100", "RR@10"]
    assert str(found[0]).startswith("dense nDCG@10 fell from 1.0000 to 0.7540, by 0.2460 (p 0.000")


def test_what_is_tolerated_chance_or_a_gain_is_no_drop(tmp_path: Path) -> None:
    measured(tmp_path / "before", 20)
    against = kept_at(tmp_path / "before" / "metrics.json")
    assert drops(measured(tmp_path / "same", 20), against) == []
    assert drops(measured(tmp_path / "better", 0), against) == []
    assert drops(measured(tmp_path / "chance", 21), against) == []
    assert drops(measured(tmp_path / "worse", 30), against, tolerance=0.5) == []
    assert len(drops(measured(tmp_path / "worse", 30), against)) == 3


def test_without_the_queries_of_before_every_drop_counts(tmp_path: Path) -> None:
    measured(tmp_path / "before", 20)
    (tmp_path / "before" / "queries.jsonl").unlink()
    found = drops(measured(tmp_path / "now", 21), kept_at(tmp_path / "before" / "metrics.json"))
    assert str(found[0]).endswith("(whose queries are not known)")


def test_an_evaluation_is_compared_with_what_lay_where_it_goes(tmp_path: Path) -> None:
    measured(tmp_path / "same", 0)
    kept = kept_at(tmp_path / "same" / "metrics.json")
    assert len(drops(measured(tmp_path / "same", 20), kept)) == 3


def test_of_few_queries_every_drop_counts(tmp_path: Path) -> None:
    qrels = {query: QRELS[query] for query in list(QRELS)[:5]}
    few = judgements_alone("few", qrels)
    measure_runs(few, {"dense": run(0)}, tmp_path / "before")
    kept = kept_at(tmp_path / "before" / "metrics.json")
    now = measure_runs(few, {"dense": run(5)}, tmp_path / "now")
    assert [each.p for each in drops(now, kept)] == [None] * 3


def test_what_cannot_be_compared_is_one_line(tmp_path: Path) -> None:
    now = measured(tmp_path / "now", 0)
    other = tmp_path / "other" / "metrics.json"
    measured(other.parent, 0, name="bm25")
    with pytest.raises(EvaluationError, match=r"guards nDCG@10 of bm25, which was not measured"):
        drops(now, kept_at(other))
    fewer = measure_runs(
        judgements_alone("little", QRELS), {"dense": run(0)}, tmp_path / "f", measures=["P@1"]
    )
    with pytest.raises(EvaluationError, match=r"guards nDCG@10 of dense, which was not measured"):
        drops(fewer, kept_at(tmp_path / "now" / "metrics.json"))
    with pytest.raises(EvaluationError, match="tolerance is nan; it must be 0 or more"):
        drops(now, kept_at(tmp_path / "now" / "metrics.json"), float("nan"))
    text = (tmp_path / "now" / "metrics.json").read_text()
    other.write_text(json.dumps({**json.loads(text), "queries": 7}))
    (other.parent / "queries.jsonl").unlink()
    with pytest.raises(EvaluationError, match="is of 7 queries, this is of 30"):
        drops(now, kept_at(other))
    for damaged in ("{", "[]", '{"queries": 1, "systems": {"a": {"b": "c"}}}', '{"queries": 1}'):
        other.write_text(damaged)
        with pytest.raises(CollectionError, match=r"metrics.json is no metrics.json of an eval"):
            kept_at(other)
    other.write_text(text.replace("1.0", "NaN", 1))
    with pytest.raises(CollectionError, match=r"metrics.json is no metrics.json of an eval"):
        kept_at(other)
    with pytest.raises(CollectionError, match="cannot be read: No such file"):
        kept_at(tmp_path / "gone.json")
    queries = tmp_path / "now" / "queries.jsonl"
    for row in ('{"query": "q1"}', '{"query": "q1", "systems": {"dense": {"P@1": 1.0}}}', "[]"):
        queries.write_text(f"{row}\n")
        with pytest.raises(CollectionError, match=r"queries.jsonl:1: no query of this evaluation"):
            kept_at(tmp_path / "now" / "metrics.json")
