"""A source in parts, so that several processes feed it side by side."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ..errors import CollectionError
from ..types import Document
from .rows import BadLine

_WRITTEN = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True)
class Part:
    """One part of ``of`` many, numbered from 1.

    Whose part a document is depends on its id alone: one that comes twice is met by one process,
    and the parts stay what they are when rows are added. A line without a document is of a part by
    where it stands.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        """Raises CollectionError for a part that there is not."""
        if not 1 <= self.number <= self.of:
            raise CollectionError(
                f"there is no part {self.number} of {self.of}; they count from 1/{self.of} to"
                f" {self.of}/{self.of}"
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def of_text(cls, text: str) -> Part:
        """A part as it is written, 2/8. Raises CollectionError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise CollectionError(f"{text!r} is no part of a source; write it like 2/8")
        return cls(int(found[1]), int(found[2]))

    def holds(self, item: Document | BadLine) -> bool:
        """Whether the item is of this part."""
        key = item.id if isinstance(item, Document) else item.origin
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).digest()
        return int.from_bytes(digest[:8]) % self.of == self.number - 1
