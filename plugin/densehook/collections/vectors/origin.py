"""Who made a vector, kept in the file itself: Anserini reads whatever else is in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from ...errors import CollectionError

KEY = "made_by"
"""Where a row, or a file's metadata, keeps it."""


@dataclass(frozen=True)
class MadeBy:
    """The encoder of a vector, and the fields whose text it was made of."""

    encoder: str
    fingerprint: str
    input: tuple[str, ...]

    @classmethod
    def parsed(cls, content: Any, origin: str) -> Self | None:
        """What is kept; None where nothing is. Raises CollectionError for what cannot be that."""
        if content is None:
            return None
        try:
            inputs = tuple(map(_text, content["input"]))
            return cls(_text(content["encoder"]), _text(content["fingerprint"]), inputs)
        except (KeyError, TypeError) as error:
            raise CollectionError(
                f"{origin}: {KEY} does not say who made the vector ({type(error).__name__}:"
                f" {error}); get it again, or remove it where you know"
            ) from None

    @classmethod
    def loads(cls, text: str | bytes, origin: str) -> Self | None:
        """The same of JSON."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise CollectionError(f"{origin}: {KEY} is no JSON: {error}") from None
        return cls.parsed(content, origin)

    def as_json(self) -> dict[str, Any]:
        """Give what is kept."""
        return asdict(self)

    def dumps(self) -> str:
        """The same as text."""
        return json.dumps(self.as_json())


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
