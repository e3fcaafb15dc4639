"""A setting is chosen on other queries than those it is measured on."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from densehook.collections import Collection, judgements_alone
from densehook.errors import EvaluationError
from densehook.evaluation import settings as tried_settings
from densehook.evaluation.optimising import (
    Lists,
    choose_by_folds,
    choose_on,
    depth_of,
    drawn_folds,
    lists_with,
    try_settings,
)
from densehook.evaluation.settings import fixed, settings, thresholds_of, weightings
from densehook.evaluation.ties import without_ties
from densehook.fusion import NORMALIZERS, linear_combination, reciprocal_rank_fusion
from densehook.index import Asked
from densehook.types import Run, ScoredDoc

RRF, LINEAR = fixed(2).values()


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
    monkeypatch.setattr(tried_settings, "WINDOWS", (20, 100))
    monkeypatch.setattr(tried_settings, "RATIOS", (0.25, 1.0, 4.0))
    monkeypatch.setattr(tried_settings, "RANK_CONSTANTS", (1, 60))
    monkeypatch.setattr(tried_settings, "SHARES", (0.5,))


def test_every_setting_is_one_that_a_search_takes_and_the_fixed_are_among_them() -> None:
    tried = settings(2, [[0.7], [0.25, 0.5]])
    assert len(set(tried)) == len(tried) == (6 + 5) * 4 * 8 + 3 * 3 * 8
    assert {RRF, LINEAR} <= set(tried)
    assert {setting.normalizer for setting in tried} == {None, *NORMALIZERS} - {"none"}
    for setting in tried:
        asked = Asked(**setting.asked(["bm25", "dense"]))
        rankings = [[ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)], [ScoredDoc("b", 0.5)]]
        if not setting.min_scores:  # which the cluster looks at
            assert asked.fuse()(rankings) == setting.fuse(rankings)
        assert asked.depth == setting.window


def test_the_fixed_settings_are_the_fusions_own() -> None:
    rankings = [[ScoredDoc("a", 3.0), ScoredDoc("b", 1.0)], [ScoredDoc("b", 0.5)]]
    assert RRF.fuse(rankings) == reciprocal_rank_fusion(rankings)
    assert LINEAR.fuse(rankings) == linear_combination(rankings)
    assert replace(RRF, window=1).fuse(rankings) == reciprocal_rank_fusion(
        [ranking[:1] for ranking in rankings]
    )


def test_a_list_gives_nothing_below_its_minimum_score() -> None:
    rankings = [[ScoredDoc("a", 3.0), ScoredDoc("b", 1.0)], [ScoredDoc("c", 0.5)]]
    least = replace(RRF, min_scores=(1.5, None))
    assert least.fuse(rankings) == reciprocal_rank_fusion([rankings[0][:1], rankings[1]])
    assert least.told(["bm25", "dense"]).endswith(", window 100, bm25 from a score of 1.5")
    assert least.asked(["bm25", "dense"])["min_scores"] == {"bm25": 1.5}


def test_minimum_scores_to_try_leave_out_shares_of_each_list() -> None:
    run = {"q": [ScoredDoc(f"d{n}", float(100 - n)) for n in range(100)]}
    assert thresholds_of([run, {}]) == [[25.75, 50.5, 75.25], []]
    assert thresholds_of([run, {}, run]) == [[50.5], [], [50.5]]


@pytest.mark.parametrize(("lists", "count"), [(1, 1), (2, 8), (3, 22), (4, 21), (5, 16), (12, 13)])
def test_the_weights_of_any_number_of_lists_are_few_and_each_can_stand_alone(
    lists: int, count: int
) -> None:
    found = weightings(lists)
    assert len(set(found)) == len(found) == count
    assert (1.0,) * lists in found
    if lists > 2:
        alone = {tuple(float(place == one) for place in range(lists)) for one in range(lists)}
        assert alone <= set(found)


@given(seed=st.integers(0, 2**32), lists=st.integers(2, 4))
@example(seed=0, lists=3)
def test_many_weights_are_tried_as_each_is_fused(seed: int, lists: int) -> None:
    chance = random.Random(seed)
    rankings = [
        sorted(
            (
                ScoredDoc(f"d{n}", chance.choice([0.5, chance.random(), -1.0]))
                for n in chance.sample(range(60), chance.choice([0, 1, 30, 60]))
            ),
            key=lambda hit: -hit.score,
        )
        for _ in range(lists)
    ]
    lists_of_query = Lists(rankings)
    tried = chance.sample(settings(lists, [[0.5]] * lists), 8)
    for setting in tried:
        (expected,) = without_ties(setting.run([{"q": each} for each in rankings], ["q"])).values()
        way = replace(setting, weights=())
        found, others = lists_of_query.fused(way, [setting.weights, (1.0,) * lists])
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        assert len(others) == len(found)
        assert all(hit.score > after.score for hit, after in pairwise(found))
        assert lists_of_query.fused(way, [setting.weights], 5) == [found[:5]]


def test_a_measure_that_looks_below_its_cut_off_gets_all() -> None:
    assert depth_of("nDCG@10") == 10
    assert depth_of("AP") is None
    assert depth_of("nDCG(judged_only=True)@10") is None


def test_what_is_right_on_the_split_chosen_on_is_chosen(few: None) -> None:
    collection, runs = lists([f"q{n}" for n in range(12)], [])
    told = choose_on(collection, runs, "nDCG@10", try_settings(collection, runs, "nDCG@10"))
    assert told.setting.weights[1] == 4.0
    assert (told.reached, told.chosen_on, told.folds) == (1.0, "lists", ())
    other, of_bm25 = lists([], [f"q{n}" for n in range(12)])
    tried = try_settings(other, of_bm25, "nDCG@10")
    assert choose_on(other, of_bm25, "nDCG@10", tried).setting.weights[1] == 0.25


def test_of_equals_a_fixed_setting_is_chosen(few: None) -> None:
    collection, runs = lists(["q0"], [])
    same = {**runs, "bm25": runs["dense"]}
    tried = try_settings(collection, same, "nDCG@10")
    assert choose_on(collection, same, "nDCG@10", tried).setting == RRF


def test_a_query_is_measured_by_what_was_chosen_without_it(few: None) -> None:
    collection, runs = lists([f"q{n}" for n in range(7)], [f"p{n}" for n in range(3)])
    told, run = choose_by_folds(
        collection, runs, "RR@10", try_settings(collection, runs, "RR@10"), folds=5
    )
    assert list(run) == list(collection.qrels)
    assert len(told.folds) == 5
    assert told.setting.weights[1] == 4.0
    # one query of each kind: what is best on the one is worst on the other
    collection, runs = lists(["q"], ["p"])
    told, run = choose_by_folds(
        collection, runs, "RR@10", try_settings(collection, runs, "RR@10"), folds=2
    )
    assert {each.weights[1] for each in told.folds} == {0.25, 4.0}
    assert run["q"][0].id == "z-q"
    assert run["p"][0].id == "z-p"


@pytest.mark.parametrize("folds", [1, 11])
def test_folds_that_cannot_be_are_refused_before_anything_is_tried(folds: int) -> None:
    with pytest.raises(EvaluationError, match=f"{folds} folds of 10 queries cannot be"):
        drawn_folds([f"q{n}" for n in range(10)], folds)


def test_a_third_list_is_chosen_where_it_alone_is_right(few: None) -> None:
    collection, runs = lists([f"q{n}" for n in range(6)], [])
    worst = {query: [ScoredDoc(f"z-{query}", 1.0)] for query in collection.qrels}
    third = runs["dense"]
    three = {"bm25": worst, "dense": worst, "mine": third}
    told = choose_on(collection, three, "RR@10", try_settings(collection, three, "RR@10"))
    assert told.reached == 1.0
    assert told.setting.weights[2] > sum(told.setting.weights[:2])
    assert str(told).startswith("rrf (constant 1), weights bm25 ")
    assert ", mine " in str(told)


def test_runs_are_lists_in_the_order_of_their_scores() -> None:
    collection, runs = lists(["q"], [])

    class Both:
        def search(self, queries, mode, depth, on_progress=None):
            return runs[mode]

        def lacking(self, ids):
            return []

    mine = {"q": [ScoredDoc("x1", 1.0), ScoredDoc("a-q", 2.0)], "elsewhere": []}
    found = lists_with(collection, Both(), {"mine": mine})
    assert list(found) == ["bm25", "dense", "mine"]
    assert found["mine"] == {"q": [ScoredDoc("a-q", 2.0), ScoredDoc("x1", 1.0)]}
    for name in ("dense", "rrf", "linear", "chosen", "learned"):
        with pytest.raises(EvaluationError, match=f"run '{name}' has a name that is given to"):
            lists_with(collection, Both(), {name: mine})
    with pytest.raises(EvaluationError, match="run 'dense' has a name that is given to"):
        lists_with(collection, Both(), {"dense": mine})
    with pytest.raises(EvaluationError, match="run 'mine' has no query that is judged"):
        lists_with(collection, Both(), {"mine": {"elsewhere": []}})
