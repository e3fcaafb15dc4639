"""How a field's texts are cut, as its mapping's ``_meta`` states it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import RequestError
from .text import LongText

WAYS = ("sentence", "tokens", "section", "given", "late")
"""Whole sentences, as many as a chunk takes; words, whatever sentence they are of; the sections or
the items of a document by themselves, each by sentences where it is too long for one chunk; late:
by sentences, each chunk encoded with those around it."""

LEAST_TOKENS = 8
"""Of a chunk: fewer are hardly more than what the encoder puts around each text."""

_LEAST_ROOM = LEAST_TOKENS // 2
_SHARE_OF_TEXT = 4
"""Of a chunk's tokens at least one in so many is the text's own."""

_NAMES = {"section": "section", "given": "item"}
"""By ways in which chunks have one: the key under which a chunk's object has the name of its part.
"""


@dataclass(frozen=True)
class ChunkRule:
    """How texts are cut into chunks, each of which has a vector.

    ``max_tokens`` are those that the model reads of a chunk, all included; what it could not read
    is never asked of it. ``overlap`` is how many, at most, of a chunk's last tokens the next one
    begins with, in whole sentences or words. A text of more than ``max_chunks`` is refused, or,
    with ``beyond`` "cut", has those alone. The text of the fields in ``prefix`` is put before each
    chunk, as much of it as half of a chunk holds.
    """

    by: str = "sentence"
    max_tokens: int = 256
    overlap: int = 0
    max_chunks: int = 512
    beyond: str = "refuse"
    prefix: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raises RequestError for a rule that cannot be."""
        for name, known in (("by", WAYS), ("beyond", ("refuse", "cut"))):
            if getattr(self, name) not in known:
                raise _refused(name, getattr(self, name), f"it is one of {', '.join(known)}")
        self._require_numbers()
        if self.is_late and (self.overlap or self.prefix):
            raise _refused(
                "by", self.by, "such chunks see each other: overlap and prefix go without"
            )
        if not all(isinstance(name, str) and name.strip() for name in self.prefix):
            raise _refused("prefix", self.prefix, "it is a text field or a list of them")

    def _require_numbers(self) -> None:
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
        """Reads what ``_meta`` states, where null is nothing; raises RequestError for no rule."""
        if not isinstance(stated, Mapping):
            raise RequestError(f"chunk is {stated!r}; it is an object such as {cls().as_json()}")
        known = [each.name for each in fields(cls)]
        for name in stated:
            if name not in known:
                raise RequestError(
                    f"chunk has an unknown key {name!r}; known are {', '.join(known)}"
                )
        there = {name: value for name, value in stated.items() if value is not None}
        prefix = there.get("prefix", [])
        return cls(**{**there, "prefix": tuple(prefix if isinstance(prefix, list) else [prefix])})

    def as_json(self) -> dict[str, Any]:
        """The rule as ``_meta`` states it."""
        stated = {each.name: getattr(self, each.name) for each in fields(self)}
        stated["prefix"] = list(self.prefix)
        left_out = {"beyond": "refuse", "prefix": []}
        return {name: value for name, value in stated.items() if left_out.get(name) != value}

    def within(self, max_tokens: int) -> ChunkRule:
        """The rule for an encoder that reads so many tokens of a text."""
        if max_tokens >= self.max_tokens:
            return self
        overlap = min(self.overlap, max_tokens // 2)
        return replace(self, max_tokens=max_tokens, overlap=overlap)

    def room_within(self, around: int) -> int:
        """How many tokens of a chunk are its text's, where the others are around it.

        Raises RequestError where a prompt leaves it too few: a text would have a chunk for every
        few letters, each vector mostly of the prompt, and cost several times its own tokens. What
        is put before chunks by ``prefix`` never does, for it is shortened.
        """
        room = self.max_tokens - around
        least = max(_LEAST_ROOM, self.max_tokens // _SHARE_OF_TEXT)
        if room < least:
            raise _refused(
                "max_tokens",
                self.max_tokens,
                f"prompt and special tokens take {around} of them, and at least {least} must be the"
                " text's: raise it, as far as the encoder reads, or give a shorter prompt",
            )
        return room

    @property
    def is_late(self) -> bool:
        """Whether a chunk is encoded with those around it."""
        return self.by == "late"

    @property
    def name_key(self) -> str | None:
        """The key under which the object of a chunk has the name of its part, where it has one."""
        return _NAMES.get(self.by)

    def hashed(self, text: str) -> str:
        """What a note's hash is of: a text that is cut, or put, another way is another text."""
        lines = [str(self)]
        if text and isinstance(text, LongText):
            lines += [f"{len(text.prefix)} {text.prefix}"] if text.prefix else []
            lines += [f"{part.start} {part.name}" for part in text.parts]
        return "\n".join([*lines, text])

    def __str__(self) -> str:
        """What of the rule decides where a text is cut: a part of each note."""
        limit = f" {self.max_chunks}" if self.beyond == "cut" else ""
        return f"{self.by} {self.max_tokens} {self.overlap}{limit}"


def _refused(name: str, value: object, why: str) -> RequestError:
    return RequestError(f"chunk.{name} is {value!r}; {why}")
