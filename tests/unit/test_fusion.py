"""Fusion: what it promises of scores, order, explanation and refusal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import reduce
from operator import add
from statistics import fmean, pstdev, stdev

import pytest

from densehook.errors import RequestError
from densehook.fusion import (
    FUSIONS,
    NORMALIZERS,
    FusedHit,
    linear_combination,
    reciprocal_rank_fusion,
)
from densehook.types import Ranking, ScoredDoc

BM25 = [ScoredDoc("a", 9.0), ScoredDoc("b", 5.0), ScoredDoc("c", 1.0)]
DENSE = [ScoredDoc("c", 0.9), ScoredDoc("d", 0.7), ScoredDoc("a", 0.5)]


def ids(fused: Sequence[FusedHit]) -> list[str]:
    return [hit.id for hit in fused]


def scores(fused: Sequence[FusedHit]) -> dict[str, float]:
    return {hit.id: hit.score for hit in fused}


def test_rrf_sums_one_over_sixty_plus_rank() -> None:
    assert scores(reciprocal_rank_fusion([BM25, DENSE])) == {
        "a": 1 / 61 + 1 / 63,
        "b": 1 / 62,
        "c": 1 / 63 + 1 / 61,
        "d": 1 / 62,
    }


def test_linear_sums_scores_scaled_to_zero_and_one() -> None:
    fused = scores(linear_combination([BM25, DENSE]))
    assert fused == pytest.approx({"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.5})


@pytest.mark.parametrize("fuse", FUSIONS.values(), ids=FUSIONS)
def test_equal_scores_are_ordered_by_id_whatever_list_comes_first(fuse) -> None:
    assert ids(fuse([BM25, DENSE])) == ["a", "c", "b", "d"]
    assert ids(fuse([DENSE, BM25])) == ["a", "c", "b", "d"]


def test_weights_scale_what_a_ranking_contributes() -> None:
    fused = scores(reciprocal_rank_fusion([BM25, DENSE], weights=[2.0, 0.5]))
    assert fused["a"] == 2.0 / 61 + 0.5 / 63
    assert ids(linear_combination([BM25, DENSE], weights=[0.0, 1.0])) == ["c", "d", "a", "b"]


def test_rank_constant_zero_counts_reciprocal_ranks_alone() -> None:
    assert scores(reciprocal_rank_fusion([BM25], rank_constant=0))["b"] == 1 / 2


@pytest.mark.parametrize("fuse", FUSIONS.values(), ids=FUSIONS)
def test_the_parts_explain_the_score(fuse) -> None:
    for hit in fuse([BM25, DENSE], weights=[0.3, 0.7]):
        assert hit.score == pytest.approx(sum(part.contribution for part in hit.parts))
        assert [part.weight for part in hit.parts] == [0.3, 0.7]


def test_the_parts_say_rank_raw_and_normalised_score_of_each_ranking() -> None:
    first, *_, last = linear_combination([BM25, DENSE], weights=[1.0, 3.0])
    assert first.id == "c"
    assert [tuple(part) for part in first.parts] == [
        (3, 1.0, 0.0, 1.0, 0.0),
        (1, 0.9, 1.0, 3.0, 3.0),
    ]
    assert last.id == "b"
    assert tuple(last.parts[1]) == (None, None, None, 3.0, 0.0)


@pytest.mark.parametrize("fuse", FUSIONS.values(), ids=FUSIONS)
def test_one_ranking_keeps_its_order_and_no_ranking_gives_none(fuse) -> None:
    assert ids(fuse([BM25])) == ["a", "b", "c"]
    assert ids(fuse([BM25, []])) == ["a", "b", "c"]
    assert fuse([]) == []
    assert fuse([[], []]) == []


def test_equal_scores_in_a_ranking_keep_the_ranks_they_arrived_with() -> None:
    tied = [ScoredDoc("z", 1.0), ScoredDoc("m", 1.0), ScoredDoc("a", 1.0)]
    assert [(hit.id, hit.parts[0].rank) for hit in reciprocal_rank_fusion([tied])] == [
        ("z", 1),
        ("m", 2),
        ("a", 3),
    ]


def test_ranks_follow_the_scores_when_a_ranking_arrives_out_of_order() -> None:
    assert reciprocal_rank_fusion([BM25[::-1], DENSE]) == reciprocal_rank_fusion([BM25, DENSE])


@pytest.mark.parametrize(
    "ranking", [[ScoredDoc("a", 7.0)], [ScoredDoc("a", 0.0), ScoredDoc("b", 0.0)]]
)
def test_min_max_of_equal_scores_is_all_ones(ranking: Ranking) -> None:
    assert all(hit.score == 1.0 for hit in linear_combination([ranking]))


def test_normalizers_are_chosen_by_name() -> None:
    ranking = [ScoredDoc("a", 4.0), ScoredDoc("b", 3.0)]
    assert scores(linear_combination([ranking], normalizer="none")) == {"a": 4.0, "b": 3.0}
    assert scores(linear_combination([ranking], normalizer="l2_norm")) == {"a": 0.8, "b": 0.6}
    with pytest.raises(RequestError, match="no normalizer 'z_score'; known are minmax"):
        linear_combination([ranking], normalizer="z_score")


def test_zscore_counts_population_deviations_from_the_mean() -> None:
    ranking = [
        ScoredDoc("a", 9.0),
        ScoredDoc("b", 5.0),
        ScoredDoc("c", 4.0),
        ScoredDoc("d", 2.0),
        ScoredDoc("e", 5.0),
    ]
    fused = scores(linear_combination([ranking], normalizer="zscore"))
    values = [hit.score for hit in ranking]
    expected = [(value - fmean(values)) / pstdev(values) for value in values]
    assert [fused[hit.id] for hit in ranking] == pytest.approx(expected)
    assert fused["b"] == 0.0


@pytest.mark.parametrize("count", range(1, 12))
def test_zscore_of_equal_scores_is_all_zeros(count: int) -> None:
    ranking = [ScoredDoc(str(number), 0.1) for number in range(count)]
    assert set(scores(linear_combination([ranking], normalizer="zscore")).values()) == {0.0}


def test_dbsf_is_qdrants_mean_and_three_deviations_of_the_sample() -> None:
    values = [9.0, 5.0, 4.0, 2.0]
    ranking = [ScoredDoc(str(value), value) for value in values]
    fused = scores(linear_combination([ranking], normalizer="dbsf"))
    low, high = (fmean(values) + sign * 3 * stdev(values) for sign in (-1, 1))
    expected = [(value - low) / (high - low) for value in values]
    assert [fused[hit.id] for hit in ranking] == pytest.approx(expected)
    far = [ScoredDoc("far", 100.0), *(ScoredDoc(str(n), 0.1) for n in range(50))]
    outlier, *_ = linear_combination([far, [ScoredDoc("far", 1.0)]], normalizer="dbsf")
    assert outlier.parts[0].normalised > 1, "nothing is clipped"
    assert outlier.parts[1].normalised == 0.5, "as one score or equal ones are"


def test_a_document_that_dbsf_lacks_is_not_better_off_than_the_last() -> None:
    low = [*(ScoredDoc(str(n), 5.0) for n in range(50)), ScoredDoc("last", -95.0)]
    found = {hit.id: hit for hit in linear_combination([low, BM25], normalizer="dbsf")}
    assert found["last"].parts[0].normalised < 0
    assert found["a"].parts[0].normalised == found["last"].parts[0].normalised
    near = {hit.id: hit for hit in linear_combination([BM25, DENSE], normalizer="dbsf")}
    assert near["d"].parts[0] == (None, None, None, 1.0, 0.0)


def test_tmm_starts_at_the_lowest_score_there_can_be() -> None:
    fused = scores(linear_combination([BM25], normalizer="tmm"))
    assert fused == {"a": 1.0, "b": 5 / 9, "c": 1 / 9}
    below = [ScoredDoc("a", 1.0), ScoredDoc("b", 0.0), ScoredDoc("c", -1.0)]
    assert linear_combination([below], normalizer="tmm") == linear_combination([below])
    for zeros in ([ScoredDoc("a", 0.0)], [ScoredDoc("a", -2.0)]):
        assert scores(linear_combination([zeros], normalizer="tmm")) == {"a": 1.0}


def test_ten_tenths_from_ten_lists_tie_with_their_exact_sum() -> None:
    ten = [[ScoredDoc("a", 0.1)]] * 10
    assert reduce(add, [0.1] * 10) != 1.0  # not sum(): Python 3.12's compensates too
    assert linear_combination(ten, normalizer="none")[0].score == 1.0


@pytest.mark.parametrize("fuse", FUSIONS.values(), ids=FUSIONS)
@pytest.mark.parametrize(
    ("rankings", "weights", "message"),
    [
        (
            [[ScoredDoc("a", 2.0), ScoredDoc("b", 2.0), ScoredDoc("a", 1.0)]],
            None,
            "document 'a' twice",
        ),
        ([[ScoredDoc("a", float("nan"))]], None, "not a finite number"),
        ([[ScoredDoc("a", float("inf"))]], None, "not a finite number"),
        ([BM25, DENSE], [1.0], "1 weights for 2 rankings"),
        ([BM25], [-1.0], "must be a number of at least 0"),
        ([BM25], [float("nan")], "must be a number of at least 0"),
    ],
)
def test_what_cannot_be_fused_is_refused(fuse, rankings, weights, message) -> None:
    with pytest.raises(RequestError, match=message):
        fuse(rankings, weights=weights)


def test_a_negative_rank_constant_is_refused() -> None:
    with pytest.raises(RequestError, match="rank_constant is -1"):
        reciprocal_rank_fusion([BM25], rank_constant=-1)


@pytest.mark.parametrize("lists", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("name", "options"),
    [("rrf", {}), *(("linear", {"normalizer": each}) for each in NORMALIZERS)],
)
def test_a_ranking_alone_is_what_the_explained_one_says(
    name: str, options: dict[str, str], lists: int
) -> None:
    chance = random.Random(lists)
    rankings = [
        [ScoredDoc(f"d{n}", chance.choice([0.5, 1 / 3, -0.1, 7.0])) for n in range(40)][
            : chance.randrange(41)
        ]
        for _ in range(lists)
    ]
    weights = [chance.choice([0, 1, 0.7]) for _ in range(lists)]
    explained = FUSIONS[name](rankings, weights=weights, **options)
    alone = FUSIONS[name].ranking(rankings, weights=weights, **options)
    assert alone == [(hit.id, hit.score) for hit in explained]
