"""What a gate judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...bundle import Role


@dataclass(frozen=True)
class Compared:
    """Texts, questions first, and what each of three gave for them, one row a text.

    ``batched`` is the graph's as it will be served, ``alone`` the graph's for each text by itself,
    ``expected`` that of what the graph was made of.
    """

    texts: Sequence[tuple[Role, str]]
    batched: Any
    alone: Any
    expected: Any

    @property
    def questions(self) -> int:
        """How many of the texts are questions."""
        return sum(role == "query" for role, _ in self.texts)
