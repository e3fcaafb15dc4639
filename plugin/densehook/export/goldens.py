"""The texts of a bundle's self-test, with what its model gives for them."""

from __future__ import annotations

import sys
from dataclasses import replace

from ..bundle import GoldenText, Role
from .folder import Settings
from .gate import Expected
from .texts import GOLDEN, long_text

# a longer text would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 512


def golden_texts(settings: Settings, reference: Expected) -> list[GoldenText]:
    """Both roles, many scripts, the ends of the vocabulary, and a text that is cut."""
    texts: list[tuple[Role, str]] = [("document", text) for text in GOLDEN]
    texts += [("query", text) for text in GOLDEN[:2]]
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
            golden.append(GoldenText(role, text, ids, reference.encode(settings, role, ids)))
    return golden
