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


@dataclass(frozen=True)
class Document:
    """A document as it is fed: an id, its source fields, and where it was read (file:line)."""

    id: DocId
    fields: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
