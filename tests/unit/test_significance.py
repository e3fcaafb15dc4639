"""Tests and intervals say what the textbook and scipy say, by a fixed seed."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from scipy import stats

from densehook.evaluation import significance
from densehook.evaluation.significance import (
    differences,
    holm_corrected,
    intervals,
    queries_needed,
)

MEASURES = ["nDCG@10", "RR@10"]


def values(rows: dict[str, list[float]]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        system: {
            f"q{n}": {"nDCG@10": value, "RR@10": value / 2} for n, value in enumerate(of_queries)
        }
        for system, of_queries in rows.items()
    }


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, dict[str, float]]]:
    chance = random.Random(7)
    base = [chance.random() for _ in range(60)]
    return values(
        {
            "base": base,
            "better": [min(1.0, each + 0.1 * chance.random()) for each in base],
            "like": [min(1.0, max(0.0, each + chance.gauss(0, 0.05))) for each in base],
        }
    )


def test_p_values_and_intervals_are_scipys(measured) -> None:
    found = {(each.system, each.measure): each for each in differences(measured, MEASURES, "base")}
    assert list(found) == list(itertools.product(("better", "like"), MEASURES))
    for (system, measure), each in found.items():
        of = [np.array([q[measure] for q in measured[name].values()]) for name in (system, "base")]
        test = stats.ttest_rel(*of)
        assert each.t_test == pytest.approx(test.pvalue, abs=1e-9)
        apart = of[0] - of[1]
        assert each.mean == pytest.approx(apart.mean(), abs=1e-12)
        assert each.effect == pytest.approx(apart.mean() / apart.std(ddof=1), abs=1e-9)
        span = stats.bootstrap(
            (apart,),
            np.mean,
            n_resamples=significance.RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(significance.SEED),
        ).confidence_interval
        assert (each.low, each.high) == pytest.approx((span.low, span.high), abs=0.002)
        assert each.better + each.worse + each.equal == each.queries == 60
    assert found["better", "nDCG@10"].verdict == "better"
    assert found["like", "nDCG@10"].verdict == "no difference"
    again = differences(measured, MEASURES, "base")
    assert again == list(found.values())  # the seed is fixed


def test_the_randomisation_test_of_few_queries_is_exact() -> None:
    base, other = [0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.15, 0.55, 0.5, 0.52]
    apart = [b - a for a, b in zip(base, other, strict=True)]
    signs = itertools.product((1, -1), repeat=5)
    means = [abs(sum(s * d for s, d in zip(each, apart, strict=True))) for each in signs]
    exact = sum(mean >= abs(sum(apart)) - 1e-12 for mean in means) / len(means)
    (found, _) = differences(values({"a": base, "b": other}), MEASURES, "a")
    assert found.randomisation == pytest.approx(exact, abs=1e-9)


def test_holm_corrects_each_by_how_many_are_not_smaller() -> None:
    assert holm_corrected([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm_corrected([0.5, 0.9]) == [1.0, 1.0]
    assert holm_corrected([]) == []


@pytest.mark.parametrize(("effect", "needed"), [(0.5, 34), (-0.5, 34), (0.2, 199), (0.8, 15)])
def test_queries_needed_are_the_textbooks(effect: float, needed: int) -> None:
    assert queries_needed(effect) == needed  # G*Power, paired t-test, two-sided, 0.05 and 0.8


def test_an_effect_too_small_or_none_needs_no_number() -> None:
    assert queries_needed(1e-6) is None
    assert queries_needed(0.0) is None
    assert queries_needed(50.0) == 2


def test_what_has_no_deviation_is_told_without_a_warning() -> None:
    same = differences(values({"a": [0.5] * 8, "b": [0.5] * 8}), MEASURES, "a")[0]
    assert (same.mean, same.t_test, same.randomisation, same.effect) == (0.0, 1.0, 1.0, None)
    assert same.verdict == "no difference"
    apart = differences(values({"a": [0.5] * 8, "b": [0.75] * 8}), MEASURES, "a")[0]
    assert (apart.mean, apart.low, apart.high, apart.t_test) == (0.25, 0.25, 0.25, 0.0)
    assert apart.randomisation == pytest.approx(2 / 2**8)
    single = differences(values({"a": [0.5], "b": [0.75]}), MEASURES, "a")[0]
    assert (single.randomisation, single.t_test, single.low) == (1.0, 1.0, 0.25)
    assert differences(values({"a": [0.5]}), MEASURES, "a") == []


def test_an_interval_holds_the_mean_and_nine_in_ten_hold_the_truth(measured) -> None:
    (base, _, _) = intervals(measured, MEASURES)
    span = base["nDCG@10"]
    assert span.low < span.mean < span.high
    chance = random.Random(3)
    held = 0
    for _ in range(40):
        drawn = values({"s": [chance.random() for _ in range(50)]})
        low, high = intervals(drawn, ["nDCG@10"])[0]["nDCG@10"][1:]
        held += low <= 0.5 <= high
    assert held >= 34
    assert not math.isnan(span.low)
