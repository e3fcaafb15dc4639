"""What becomes of a document: indexed, or a failure; and what a feed did in all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..collections import BadLine
from ..elastic.bulk import CONFLICT, Refusal
from ..hooks import Vector
from ..types import Document, EncodeStats

KEPT = 100
"""Failures that a report keeps, however many there are."""

_ID_SHOWN = 80
_CONFLICT = (
    "id {!r} is in the index already (a duplicate in the input, or indexed before); the first one"
    " stays, --replace writes over it"
)


@dataclass(frozen=True)
class Failure:
    """A document that did not reach the index, where it came from, and why.

    ``again`` says that the same may well go in later, the cluster being at fault. ``document`` is
    the whole of it; of a line that holds none ``content`` is what was read.
    """

    origin: str
    id: str
    reason: str
    again: bool = False
    document: Document | None = field(default=None, compare=False, repr=False)
    content: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}" if self.origin else self.reason

    def letter(self) -> str:
        """The line that ``collections.read_letters`` reads again, without its end."""
        told: dict[str, Any] = {
            "origin": self.origin,
            "id": self.id,
            "reason": self.reason,
            "again": self.again,
        }
        if self.document is None:
            told["line"] = self.content
        else:
            told["document"] = self.document.fields
        return json.dumps(told, ensure_ascii=False, default=str)

    @classmethod
    def of(cls, document: Document, reason: object, again: bool = False) -> Failure:
        """A document's failure."""
        shown = document.id if len(document.id) <= _ID_SHOWN else document.id[:_ID_SHOWN] + "…"
        said = f"document {shown!r}: {reason}"
        return cls(document.origin, document.id, said, again, document)

    @classmethod
    def unread(cls, line: BadLine) -> Failure:
        """The failure of a line or row that holds no document."""
        return cls(line.origin, "", line.reason, content=line.content)

    @classmethod
    def refused(cls, document: Document, refusal: Refusal) -> Failure:
        """The failure of a document that Elasticsearch did not take, in its words."""
        if refusal.status == CONFLICT:
            return cls.conflict(document)
        return cls.of(document, refusal.reason, refusal.again)

    @classmethod
    def conflict(cls, document: Document) -> Failure:
        """The failure of a document whose id is taken."""
        said = _CONFLICT.format(document.id)
        return cls(document.origin, document.id, said, document=document)


@dataclass
class FeedReport:
    """What a feed did.

    ``encoded`` is what was encoded here; where the cluster encodes, ``in_cluster`` is what its
    nodes counted meanwhile, other clients' texts among it, and None where they do not tell.
    ``missing`` counts documents without a certain input field, ``without_text`` those that have
    none at all and so no vector. ``reused`` are vectors that the index had already, of the same
    text; ``brought`` are those that documents came with. ``unrefreshed`` says why the last
    documents cannot be found at once, where the index could not be refreshed. ``failures`` are the
    first KEPT of them, without their documents.
    """

    indexed: int = 0
    failed: int = 0
    encoded: EncodeStats = field(default_factory=EncodeStats)
    in_cluster: EncodeStats | None = None
    missing: Counter[str] = field(default_factory=Counter)
    without_text: int = 0
    reused: int = 0
    brought: int = 0
    unrefreshed: str = ""
    failures: list[Failure] = field(default_factory=list)

    def fail(self, failure: Failure) -> None:
        """Counts a document that was not indexed."""
        self.failed += 1
        if len(self.failures) < KEPT:
            self.failures.append(replace(failure, document=None, content=""))

    def count(self, vector: Vector, missing: Iterable[str]) -> None:
        """Counts a document that was indexed, with what its vector is and what inputs it lacks."""
        self.indexed += 1
        self.missing.update(missing)
        self.without_text += vector is Vector.NONE
        self.reused += vector is Vector.TAKEN
        self.brought += vector is Vector.KEPT
