"""The texts of a bundle's self-test, with what its model gives for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..bundle import GoldenText, Role
from .gate import Expected
from .texts import GOLDEN, long_text

# a longer text would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 512


def golden_texts(
    settings: Any,
    reference: Expected,
    kept: Callable[[Any], Any] = lambda output: output,
    queries: int = 2,
) -> list[GoldenText]:
    """Both roles, many scripts, the ends of the vocabulary, and a text that is cut.

    ``kept`` is what golden.json has of an output; so many of the texts are queries as well.
    """
    texts: list[tuple[Role, str]] = [("document", text) for text in GOLDEN]
    texts += [("query", text) for text in GOLDEN[:queries]]
    texts += [("document", text) for text in reference.edge_texts]
    whole = replace(settings, max_tokens=sys.maxsize)
    texts.append(
        (
            "document",
            long_text(
                settings.max_tokens,
                _LONGEST_GOLDEN,
                lambda text: len(reference.tokenize(whole, "document", text)),
            ),
        )
    )
    golden = []
    for role, text in texts:
        if ids := reference.tokenize(settings, role, text):  # of a blank text there may be no token
            golden.append(GoldenText(role, text, ids, kept(reference.encode(settings, role, ids))))
    return golden
