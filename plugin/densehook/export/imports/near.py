"""How near a graph is to the weights that it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bundle import Role
from ...errors import ExportError
from ..gate import Expected
from ..texts import AWKWARD, PASSAGES, QUESTIONS, SCRIPTS


@dataclass(frozen=True)
class Near:
    """``proof`` is what the manifest states, ``measured`` what parity.json has of it."""

    proof: str
    measured: Mapping[str, Any]


UNKNOWN = Near("none", {})
"""Where nothing but the graph itself is known."""


@dataclass(frozen=True)
class Both:
    """Of each text what the graph gives and what the model does; the first are ``questions``."""

    questions: int
    given: Sequence[Any]
    expected: Sequence[Any]


def rows_of_both(given: Expected, settings: Any, weights: Expected, own: Any, folder: Path) -> Both:
    """Texts by themselves, by the graph with its settings and by a folder's model with its own.

    Raises ExportError where the model reads a text otherwise.
    """
    texts: list[tuple[Role, str]] = [("query", text) for text in QUESTIONS]
    texts += [("document", text) for text in (*PASSAGES, *AWKWARD, *SCRIPTS)]
    roles, rows, expected = [], [], []
    for role, text in texts:
        ids = given.tokenize(settings, role, text)
        if ids != weights.tokenize(settings, role, text):
            raise ExportError(f"{folder} gives other token ids for {text[:40]!r} than the graph's")
        if ids:  # of a blank text there may be no token
            roles.append(role)
            rows.append(given.encode(settings, role, ids))
            expected.append(weights.encode(own, role, ids))
    return Both(roles.count("query"), rows, expected)
