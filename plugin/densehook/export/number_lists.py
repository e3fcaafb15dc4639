"""Lists of numbers to compare graphs by: their texts, as documents have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..number_lists import text_of_numbers

QUERIES = 10
LISTS = 40
_LONGEST = 8192
"""Numbers of all but one list; more would make an import take minutes."""


def made_lists(channels: int, lengths: Sequence[int], lists: int, seed: int = 0) -> list[str]:
    """So many lists, of these lengths in steps by turns: noise, waves, and walks far from 0."""
    draw = np.random.default_rng(seed)
    texts = []
    for number in range(lists):
        steps = lengths[number % len(lengths)]
        noise = draw.standard_normal((steps, channels))
        wave = np.sin(np.arange(steps)[:, None] * draw.uniform(0.05, 2, channels))
        walk = 3 * draw.standard_normal(channels) + np.cumsum(noise, axis=0) / 4
        made = (noise, wave + noise / 10, walk)[number % 3].astype(np.float32)
        texts.append(text_of_numbers(made.tolist()))
    return texts


def lengths_between(least: int, most: int, channels: int) -> list[int]:
    """Lengths in steps from the least on, few of them large, with steps of odd length among them.

    All are one where ``least`` is ``most``.
    """
    top = max(least, min(most, 8 * least, _LONGEST // channels))
    return sorted({least + (top - least) * part // 7 for part in (0, 1, 2, 3, 5, 7)})
