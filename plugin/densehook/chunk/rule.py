"""How a field's texts are cut, as its mapping's ``_meta`` states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import RequestError

WAYS = ("sentence", "tokens")
"""Whole sentences, as many as a chunk takes; or words, whatever sentence they are of."""

LEAST_TOKENS = 8
"""Of a chunk: fewer are hardly more than what the encoder puts around each text."""


@dataclass(frozen=True)
class ChunkRule:
    """How texts are cut into chunks, each of which has a vector.

    ``max_tokens`` are those that the model reads of a chunk, all included; what it could not read
    is never asked of it. ``overlap`` is how many, at most, of a chunk's last tokens the next one
    begins with, in whole sentences or words. A text of more than ``max_chunks`` is refused.
    """

    by: str = "sentence"
    max_tokens: int = 256
    overlap: int = 0
    max_chunks: int = 512

    def __post_init__(self) -> None:
        """Raises RequestError for a rule that cannot be."""
        if self.by not in WAYS:
            raise _refused("by", self.by, f"it is one of {', '.join(WAYS)}")
        for name in ("max_tokens", "overlap", "max_chunks"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise _refused(name, value, "it is a whole number")
        if self.max_tokens < LEAST_TOKENS:
            raise _refused("max_tokens", self.max_tokens, f"it is at least {LEAST_TOKENS}")
        if not 0 <= self.overlap <= self.max_tokens // 2:
            raise _refused("overlap", self.overlap, "it is from 0 to half of max_tokens")
        if self.max_chunks < 1:
            raise _refused("max_chunks", self.max_chunks, "it is at least 1")

    @classmethod
    def parse(cls, stated: Any) -> ChunkRule:
        """Reads what ``_meta`` states; raises RequestError for what is no rule."""
        if not isinstance(stated, Mapping):
            raise RequestError(f"chunk is {stated!r}; it is an object such as {cls().as_json()}")
        known = [each.name for each in fields(cls)]
        for name in stated:
            if name not in known:
                raise RequestError(
                    f"chunk has an unknown key {name!r}; known are {', '.join(known)}"
                )
        return cls(**stated)

    def as_json(self) -> dict[str, Any]:
        """The rule as ``_meta`` states it."""
        return asdict(self)

    def within(self, max_tokens: int) -> ChunkRule:
        """The rule for an encoder that reads so many tokens of a text."""
        if max_tokens >= self.max_tokens:
            return self
        overlap = min(self.overlap, max_tokens // 2)
        return ChunkRule(self.by, max_tokens, overlap, self.max_chunks)

    def __str__(self) -> str:
        """What of the rule decides where a text is cut: a part of each note."""
        return f"{self.by} {self.max_tokens} {self.overlap}"


def _refused(name: str, value: object, why: str) -> RequestError:
    return RequestError(f"chunk.{name} is {value!r}; {why}")
