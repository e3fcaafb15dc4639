"""Packing loses nothing, keeps the budget, and pads little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from densehook.encode import pack

lengths = st.lists(st.integers(1, 600), max_size=300)
budgets = st.integers(1, 4096)


@given(lengths, budgets)
def test_every_text_runs_exactly_once(lengths: list[int], budget: int) -> None:
    positions = [position for run in pack(lengths, budget) for position in run]
    assert sorted(positions) == list(range(len(lengths)))


@given(lengths, budgets)
def test_a_run_keeps_the_token_budget_unless_one_text_alone_exceeds_it(
    lengths: list[int], budget: int
) -> None:
    for run in pack(lengths, budget):
        assert len(run) == 1 or len(run) * max(lengths[i] for i in run) <= budget


@given(lengths, budgets, st.floats(0, 0.5))
def test_a_run_pads_no_more_than_allowed(
    lengths: list[int], budget: int, max_padding: float
) -> None:
    for run in pack(lengths, budget, max_padding):
        area = len(run) * max(lengths[i] for i in run)
        assert area - sum(lengths[i] for i in run) <= max_padding * area


@given(lengths)
def test_the_longest_text_of_a_run_comes_first(lengths: list[int]) -> None:
    for run in pack(lengths):
        assert lengths[run[0]] == max(lengths[i] for i in run)


@given(lengths, st.integers(1, 9))
def test_a_run_has_no_more_texts_than_allowed(lengths: list[int], most: int) -> None:
    runs = pack(lengths, most=most)
    assert sorted(position for run in runs for position in run) == list(range(len(lengths)))
    assert all(len(run) <= most for run in runs)
