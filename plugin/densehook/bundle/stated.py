"""Parsed JSON, read key by key: each value of the type it must have, or one line that says why not.

What is refused here is refused by org.densehook.bundle too; one list of bad manifests tests both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import BundleError
from ..files import each_key_once

MOST = 2**31 - 1
"""The largest whole number in a bundle: a Java int's."""

NAME = (
    "a name of at most 200 characters, without slashes, colons and control characters, and with no"
    " dot or space before it"
)
_LONGEST_NAME = 200
_SHOWN = 60


def parse(text: str, where: str) -> Any:
    """The value of a JSON text; raises BundleError when it is none, or has a key twice."""
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where} is not JSON: {error}") from None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def read_text(path: Path) -> str:
    """A file's text; raises BundleError where it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from None


def shown(value: object) -> str:
    """The value on one line, cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def is_text(value: object) -> bool:
    """Whether it is a string that UTF-8 can hold: one without lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def is_name(value: object) -> bool:
    """Whether it can be the name of a file beside others, wherever bundles are copied to."""
    if not isinstance(value, str) or not is_text(value):
        return False
    return bool(
        0 < len(value) <= _LONGEST_NAME
        and not value.startswith((".", " "))
        and not value.endswith(" ")
        and not any(c < " " or c in "/\\:\x7f" for c in value)
    )


def is_number(value: object, least: int = 0) -> bool:
    """Whether it is a whole number that both languages can hold, ``least`` or more."""
    return type(value) is int and least <= value <= MOST


def is_real(value: object) -> bool:
    """Whether it is a finite number."""
    if type(value) is int:
        return -MOST <= value <= MOST
    return type(value) is float and math.isfinite(value)


class Stated:
    """A JSON object with exactly these keys; ``where`` is what messages call it."""

    def __init__(
        self, content: Any, where: str, needed: Collection[str], optional: Collection[str] = ()
    ) -> None:
        if not isinstance(content, dict):
            raise BundleError(f"{where} is {shown(content)}; it must be an object")
        missing = sorted(set(needed) - content.keys())
        unknown = sorted(content.keys() - set(needed) - set(optional))
        if missing or unknown:
            wrong = [
                f"{what} {', '.join(map(shown, keys))}"
                for what, keys in (("missing", missing), ("unknown", unknown))
                if keys
            ]
            raise BundleError(f"{where} has not the keys it must have: {', '.join(wrong)}")
        self._content: Mapping[str, Any] = content
        self.where = where

    def has(self, key: str) -> bool:
        """Whether an optional key is there."""
        return key in self._content

    def text(self, key: str) -> str:
        """A string that UTF-8 can hold."""
        return str(self._held(key, is_text, "a string"))

    def name(self, key: str) -> str:
        """A string that can name a file."""
        return str(self._held(key, is_name, NAME))

    def one_of(self, key: str, known: Collection[str]) -> str:
        """A string of those known."""
        self.text(key)
        return str(self._held(key, lambda value: value in known, f"one of {', '.join(known)}"))

    def number(self, key: str, least: int) -> int:
        """A whole number, of 31 bits."""
        what = f"a {'positive ' if least else ''}number, at most {MOST}"
        return int(self._held(key, lambda value: is_number(value, least), what))

    def real(self, key: str) -> float:
        """A finite number."""
        return float(self._held(key, is_real, "a finite number"))

    def truth(self, key: str) -> bool:
        """True or false."""
        return bool(self._held(key, lambda value: isinstance(value, bool), "true or false"))

    def list_of(self, key: str, each: Callable[[object], bool], what: str) -> list[Any]:
        """A list of values that all hold."""
        return list(
            self._held(
                key,
                lambda value: isinstance(value, list) and all(map(each, value)),
                f"a list of {what}",
            )
        )

    def table(self, key: str) -> Mapping[str, Any]:
        """An object of any keys."""
        return dict(self._held(key, lambda value: isinstance(value, dict), "an object"))

    def _held(self, key: str, holds: Callable[[Any], bool], what: str) -> Any:
        value = self._content[key]
        if not holds(value):
            raise BundleError(f"{self.where}: {key} is {shown(value)}; it must be {what}")
        return value
