"""The values every room speaks of: documents, queries, rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DocId = str
QueryId = str


class ScoredDoc(NamedTuple):
    """A document in a ranking, with the score that put it there."""

    id: DocId
    score: float


Ranking = Sequence[ScoredDoc]
"""Documents of one query, best first."""

Run = Mapping[QueryId, Ranking]
"""One ranking for each query."""

Qrels = Mapping[QueryId, Mapping[DocId, int]]
"""Relevance judgements: for each query its judged documents with their grades."""

PATIENCE = "5m"
"""How long a feed waits for a cluster that is busy or gone, unless another time is asked for."""

IN_INDEX = "index"
"""Names the checkpoint that is kept in the cluster; a file of that name is ./index."""


@dataclass(frozen=True)
class Document:
    """A document as it is fed: an id, its source fields, and where it was read (file:line)."""

    id: DocId
    fields: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True)
class EncodeStats:
    """What encoding some texts cost, and what truncation cut."""

    texts: int = 0
    tokens: int = 0
    truncated_texts: int = 0
    lost_tokens: int = 0
    short_texts: int = 0
    """Of which the first chunks alone were encoded."""

    def __add__(self, other: EncodeStats) -> EncodeStats:
        return EncodeStats(
            self.texts + other.texts,
            self.tokens + other.tokens,
            self.truncated_texts + other.truncated_texts,
            self.lost_tokens + other.lost_tokens,
            self.short_texts + other.short_texts,
        )

    def cut_of(self, limit: int) -> str:
        """What an encoder of so many tokens did not encode, in a line; empty for nothing."""
        if not self.truncated_texts:
            return ""
        return (
            f"{self.truncated_texts} of {self.texts} texts are over {limit} tokens:"
            f" {self.lost_tokens} tokens were not encoded"
        )
