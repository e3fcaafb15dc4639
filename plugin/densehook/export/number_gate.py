"""The gate of encoders of numbers: what lists of many lengths come to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..bundle import GoldenText, Numbers, Role
from ..encode import Encoder
from .gate import compared_with
from .kinds import Parity
from .number_lists import LISTS, QUERIES, lengths_between, made_lists


def compared_lists(part: Numbers, max_tokens: int, least: int) -> list[str]:
    """Lists of ``least`` steps and more, as their texts; two that are long where they may be."""
    steps = max_tokens // part.channels
    lengths = lengths_between(least, steps, part.channels)
    lists = made_lists(part.channels, lengths, QUERIES + LISTS)
    if not part.fixed_length:
        lists += made_lists(part.channels, [max(lengths) + 1, steps], 2, seed=1)
    return lists


def in_roles(texts: Sequence[str], queries: int) -> list[tuple[Role, str]]:
    """The first so many are queries."""
    return [("query" if place < queries else "document", text) for place, text in enumerate(texts)]


def gate_variant_of_numbers(
    variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]
) -> Parity:
    """As ``gate_variant``, of lists as long as the golden ones and longer."""
    manifest = plain.manifest
    part = manifest.of(Numbers)
    least = min(len(each.ids) for each in golden) // part.channels
    lists = in_roles(compared_lists(part, manifest.max_tokens, least), QUERIES)
    alone = np.concatenate([plain.encode_counted([text], role).vectors for role, text in lists])
    return compared_with(variant, lists, alone, "the plain bundle's")
