"""Lists of numbers: as documents in bulk, and as queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import cycle, islice

import numpy as np

from ...bundle import Bundle, Manifest, Numbers
from ...number_lists import numbers_of, numbers_of_text, text_of_numbers
from ..encoder import Encoder
from . import texts
from .given import Given

MADE = 200
_STEPS = 16, 512
_SEED = 0


@dataclass(frozen=True)
class Times(texts.Times):
    """Of lists in bulk, in which each number is a token, and as queries."""

    def said(self) -> list[tuple[str, str]]:
        """As ``Times.said`` of the package."""
        return [
            *self.said_of_bulk("lists", "lists", "numbers"),
            *((f"queries, {each.callers} at a time", each.said()) for each in self.queries),
        ]


def timed(bundle: Bundle, encoder: Encoder, given: Given) -> Times:
    """Encodes all lists once as documents, then each with another first number as a query."""
    times = texts.timed(bundle, encoder, given, _other_lists)
    return Times(**{each.name: getattr(times, each.name) for each in fields(times)})


def made_lists(manifest: Manifest) -> list[str]:
    """Lists that wander, as their texts: of 16 to 512 steps, or of as many as must be."""
    part = manifest.of(Numbers)
    most = manifest.max_tokens // part.channels
    drawn = np.random.default_rng(_SEED)
    made = []
    for _ in range(MADE):
        least, longest = (min(most, steps) for steps in _STEPS)
        steps = most if part.fixed_length else int(drawn.integers(least, longest + 1))
        values = np.cumsum(drawn.standard_normal((steps, part.channels)), axis=0)
        made.append(text_of_numbers(values.tolist()))
    return made


def _other_lists(lists: Sequence[str], count: int) -> list[str]:
    made = []
    for number, text in enumerate(islice(cycle(lists), count)):
        channels, bits = numbers_of_text(text)
        values = [float(number), *numbers_of(bits)[1:]]
        steps = [values[start : start + channels] for start in range(0, len(values), channels)]
        made.append(text_of_numbers(steps))
    return made
