"""What a search finds, for reading: in a loop, in a terminal, in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from ..fusion import Part
from ..types import DocId

_SNIPPET = 100


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk of a document: code points ``start`` to ``end`` of its text, and how it scores."""

    start: int
    end: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found.

    ``source`` holds its fields without vectors. ``parts`` says by list, bm25 and dense, what each
    gave to a fused score: rank, score, weight and contribution. ``highlights`` are pieces of its
    fields with the query's words between ``<em>`` and ``</em>``, ``passages`` its chunks that are
    most like the query, best first, where they are asked for. ``unread`` are fields that hold no
    text, as images: a search shows them where they are named, and a snippet never does.

        for hit in index.search("how do vaccines work"):
            print(hit.id, hit.score, hit.source["title"], hit.parts["bm25"].rank)
    """

    id: DocId
    score: float
    source: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    highlights: Mapping[str, Sequence[str]] = field(default_factory=dict)
    passages: Sequence[Passage] = ()
    unread: Sequence[str] = field(default=(), repr=False)

    @property
    def snippet(self) -> str:
        """The start of its texts, in one line."""
        read = [value for name, value in self.source.items() if name not in self.unread]
        words = " · ".join(text for text in read if isinstance(text, str) and text)
        line = " ".join(words.split())
        return line if len(line) <= _SNIPPET else line[:_SNIPPET].rstrip() + "…"

    def __str__(self) -> str:
        return f"{self.score:.4f}  {self.id}  {self.snippet}"


@dataclass(frozen=True)
class Hits(Sequence[Hit]):
    """The hits of one query, best first; ``took`` are the cluster's milliseconds.

    ``features`` are what learned weights were made of: of a query that the cluster fused they are
    there with ``explain``. A notebook shows the hits as a table.
    """

    query: str
    hits: Sequence[Hit]
    took: int = 0
    features: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Hit]: ...
    def __getitem__(self, place: int | slice) -> Hit | Sequence[Hit]:
        return self.hits[place]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __str__(self) -> str:
        return "\n".join(map(str, self.hits)) or "no hits"

    def _repr_html_(self) -> str:
        lists = list(dict.fromkeys(name for hit in self.hits for name in hit.parts))
        head = ["", "score", "id", "document", *lists]
        rows = [[f"<th>{html.escape(name)}</th>" for name in head]]
        for rank, hit in enumerate(self.hits, start=1):
            ranks = [_rank(hit.parts.get(name)) for name in lists]
            cells = [str(rank), f"{hit.score:.4f}", hit.id, hit.snippet, *ranks]
            rows.append([f"<td>{html.escape(cell)}</td>" for cell in cells])
        lines = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
        return f"<table><caption>{html.escape(self.query)}</caption>{lines}</table>"


def _rank(part: Part | None) -> str:
    return "" if part is None or part.rank is None else f"rank {part.rank}"
