"""How long an index is followed before it takes the other's place."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from densehook.errors import RequestError
from densehook.migration import moving


class Following:
    """One whose steps take so many seconds by a clock of its own, with many documents each."""

    def __init__(self, seconds: Sequence[float], done: Sequence[int] = (), failed: int = 0) -> None:
        self.copied = SimpleNamespace(failed=failed)
        self.steps = 0
        self._seconds = seconds
        self._done = done
        self.now = 0.0

    def step(self) -> int:
        self.now += self._seconds[min(self.steps, len(self._seconds) - 1)]
        self.steps += 1
        return self._done[self.steps - 1] if self._done else 1000


@pytest.mark.parametrize(
    ("following", "steps"),
    [
        (Following([10, 3, 1, 0.5, 0.45, 0.1]), 5),  # as short as they become
        (Following([10, 3, 2.5, 0.2, 0.1, 0.05, 0.05]), 7),
        (Following([1.0, 1.0]), 2),
        (Following([30, 30], done=[1000, 100]), 2),  # few are left
        (Following([30], failed=1), 1),
        (Following([5.0, 1.0] * 10), 20),  # by turns: the last one was short
    ],
)
def test_steps_go_on_while_they_become_shorter(
    following: Following, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "time", SimpleNamespace(monotonic=lambda: following.now))
    as_it_is: Any = following
    moving.catch_up(as_it_is)
    assert following.steps == steps


def test_one_that_is_never_near_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    following: Any = Following([30.0])
    monkeypatch.setattr(moving, "time", SimpleNamespace(monotonic=lambda: following.now))
    with pytest.raises(RequestError, match="more is written than is copied"):
        moving.catch_up(following)
    assert following.steps == 20
