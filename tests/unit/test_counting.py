"""What a cluster's nodes counted meanwhile is what they count now less what they counted before."""

from __future__ import annotations

import pytest

from densehook.elastic.counting import Counts, counted_between
from densehook.types import EncodeStats

BEFORE: Counts = {"a": EncodeStats(10, 100, 2, 30), "b": EncodeStats(1, 5, 0, 0)}


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        (BEFORE, BEFORE, EncodeStats()),
        (
            BEFORE,
            {"a": EncodeStats(12, 110, 3, 37), "b": EncodeStats(2, 9, 1, 4)},
            EncodeStats(3, 14, 2, 11),
        ),
        # a node that came counts whole
        (BEFORE, {**BEFORE, "c": EncodeStats(4, 4, 1, 1)}, EncodeStats(4, 4, 1, 1)),
        (BEFORE, {"a": BEFORE["a"]}, None),  # one that left took its count along
        (BEFORE, {**BEFORE, "b": EncodeStats()}, None),  # one that began anew
        (None, BEFORE, None),
        (BEFORE, None, None),
    ],
)
def test_counts_are_compared_node_by_node(
    before: Counts | None, after: Counts | None, counted: EncodeStats | None
) -> None:
    assert counted_between(before, after) == counted
