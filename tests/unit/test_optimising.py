"""A setting is chosen on other queries than those it is measured on."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.collections import Collection, judgements_alone
from densehook.errors import EvaluationError
from densehook.evaluation import optimising
from densehook.evaluation.optimising import (
    LINEAR,
    RRF,
    Lists,
    Setting,
    choose_by_folds,
    choose_on,
    depth_of,
    settings,
)
from densehook.evaluation.ties import without_ties
from densehook.fusion import linear_combination, reciprocal_rank_fusion
from densehook.index import Asked
from densehook.types import Run, ScoredDoc


def lists(right: Iterable[str], wrong: Iterable[str]) -> tuple[Collection, dict[str, Run]]:
    """Queries for which dense search is right, and queries for which BM25 is."""
    chance = random.Random(1)
    right = list(right)
    runs: dict[str, dict[str, list[ScoredDoc]]] = {"bm25": {}, "dense": {}}
    for query in [*right, *wrong]:
        good, bad = ("dense", "bm25") if query in right else ("bm25", "dense")
        fill = [f"x{n}" for n in range(30)]
        for name, first in ((good, [f"a-{query}"]), (bad, [f"z-{query}"])):
            chance.shuffle(fill)
            ids = [*first, *fill]
            runs[name][query] = [ScoredDoc(id_, 40.0 - at) for at, id_ in enumerate(ids)]
    qrels = {query: {f"a-{query}": 1, f"z-{query}": 0} for query in runs["dense"]}
    return judgements_alone("lists", qrels), dict(runs)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer settings to try."""
    monkeypatch.setattr(optimising, "WINDOWS", (20, 100))
    monkeypatch.setattr(optimising, "DENSE_WEIGHTS", (0.25, 1.0, 4.0))
    monkeypatch.setattr(optimising, "RANK_CONSTANTS", (1, 60))


def test_every_setting_is_one_that_a_search_takes_and_the_fixed_are_among_them() -> None:
    tried = settings()
    assert len(set(tried)) == len(tried) == 288
    assert {RRF, LINEAR} <= set(tried)
    for setting in tried:
        asked = Asked(**setting.asked())
        rankings = [[ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)], [ScoredDoc("b", 0.5)]]
        assert asked.fuse()(rankings) == setting.fuse(rankings)
        assert asked.depth == setting.window


def test_the_fixed_settings_are_the_fusions_own() -> None:
    rankings = [[ScoredDoc("a", 3.0), ScoredDoc("b", 1.0)], [ScoredDoc("b", 0.5)]]
    assert RRF.fuse(rankings) == reciprocal_rank_fusion(rankings)
    assert LINEAR.fuse(rankings) == linear_combination(rankings)
    assert Setting("rrf", window=1, rank_constant=60).fuse(rankings) == reciprocal_rank_fusion(
        [ranking[:1] for ranking in rankings]
    )


@given(seed=st.integers(0, 2**32))
def test_many_settings_are_tried_as_each_is_fused(seed: int) -> None:
    chance = random.Random(seed)
    rankings = [
        sorted(
            (
                ScoredDoc(f"d{n}", chance.choice([0.5, chance.random(), -1.0]))
                for n in chance.sample(range(60), chance.choice([0, 1, 30, 60]))
            ),
            key=lambda hit: -hit.score,
        )
        for _ in range(2)
    ]
    lists_of_query = Lists(rankings)
    for setting in chance.sample(settings(), 8):
        (expected,) = without_ties(setting.run([{"q": each} for each in rankings], ["q"])).values()
        found = lists_of_query.fused(setting)
        assert [hit.score for hit in found] == pytest.approx([h.score for h in expected], abs=1e-6)
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        assert lists_of_query.fused(setting, 5) == found[:5]


def test_a_measure_that_looks_below_its_cut_off_gets_all() -> None:
    assert depth_of("nDCG@10") == 10
    assert depth_of("AP") is None
    assert depth_of("nDCG(judged_only=True)@10") is None


def test_what_is_right_on_the_split_chosen_on_is_chosen(few: None) -> None:
    collection, runs = lists([f"q{n}" for n in range(12)], [])
    told = choose_on(collection, runs, "nDCG@10")
    assert told.setting.dense_weight == 4.0
    assert (told.reached, told.chosen_on, told.folds) == (1.0, "lists", ())
    other, of_bm25 = lists([], [f"q{n}" for n in range(12)])
    assert choose_on(other, of_bm25, "nDCG@10").setting.dense_weight == 0.25


def test_of_equals_a_fixed_setting_is_chosen(few: None) -> None:
    collection, runs = lists(["q0"], [])
    assert choose_on(collection, {**runs, "bm25": runs["dense"]}, "nDCG@10").setting == RRF


def test_a_query_is_measured_by_what_was_chosen_without_it(few: None) -> None:
    collection, runs = lists([f"q{n}" for n in range(7)], [f"p{n}" for n in range(3)])
    told, run = choose_by_folds(collection, runs, "RR@10", folds=5)
    assert list(run) == list(collection.qrels)
    assert len(told.folds) == 5
    assert told.setting.dense_weight == 4.0
    # one query of each kind: what is best on the one is worst on the other
    collection, runs = lists(["q"], ["p"])
    told, run = choose_by_folds(collection, runs, "RR@10", folds=2)
    assert {each.dense_weight for each in told.folds} == {0.25, 4.0}
    assert run["q"][0].id == "z-q"
    assert run["p"][0].id == "z-p"


@pytest.mark.parametrize("folds", [1, 11])
def test_folds_that_cannot_be_are_refused_before_anything_is_tried(folds: int) -> None:
    collection, runs = lists([f"q{n}" for n in range(10)], [])
    with pytest.raises(EvaluationError, match=f"{folds} folds of 10 queries cannot be"):
        choose_by_folds(collection, runs, "nDCG@10", folds)
