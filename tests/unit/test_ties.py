"""A run is written so that every tool orders it as trec_eval does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.errors import EvaluationError
from densehook.evaluation.ties import without_ties
from densehook.types import ScoredDoc

ids = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=3)
scores = st.floats(-100, 100, width=32) | st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 0.1, 1e30])
rankings = st.lists(st.builds(ScoredDoc, ids, scores), max_size=30, unique_by=lambda hit: hit.id)


@given(ranking=rankings)
def test_scores_go_down_and_the_order_is_trec_evals(ranking: list[ScoredDoc]) -> None:
    found = without_ties({"q": ranking})["q"]
    by_id = sorted(ranking, key=lambda hit: hit.id.encode(), reverse=True)
    expected = sorted(by_id, key=lambda hit: np.float32(hit.score), reverse=True)
    assert [hit.id for hit in found] == [hit.id for hit in expected]
    lowered = np.array([hit.score for hit in found], dtype=np.float32)
    assert [float(score) for score in lowered] == [hit.score for hit in found]
    assert (np.diff(lowered) < 0).all()
    given_scores = np.array([hit.score for hit in expected], dtype=np.float32)
    assert (lowered <= given_scores).all()


def test_a_score_is_lowered_by_the_next_float_and_no_more() -> None:
    tied = [ScoredDoc("a", 1.0), ScoredDoc("b", 1.0), ScoredDoc("c", 0.5)]
    below = float(np.nextafter(np.float32(1), np.float32(0)))
    assert without_ties({"q": tied}) == {
        "q": [ScoredDoc("b", 1.0), ScoredDoc("a", below), ScoredDoc("c", 0.5)]
    }
    crossing = [ScoredDoc(id_, 0.0) for id_ in "cba"]
    lowest = [hit.score for hit in without_ties({"q": crossing})["q"]]
    least = float(np.nextafter(np.float32(0), np.float32(-1)))
    assert lowest == [0.0, least, 2 * least]


@pytest.mark.parametrize("score", [1e39, float("nan"), float("-inf")])
def test_a_score_beyond_what_trec_eval_reads_is_refused(score: float) -> None:
    with pytest.raises(EvaluationError, match="query 'q' gives document 'd' the score"):
        without_ties({"q": [ScoredDoc("d", score)]})
