"""Lists of numbers, as documents hold them and as one text.

A time series, or features of a sound, is a list of numbers, or, where each of its steps has several
channels, a list of lists. Like an image it is a text to whatever need not read it, which compares
and hashes it: ``2:P4AAAEAAAABAQAAAQIAAAA==`` has two channels, and step by step their numbers in
big-endian float32, as Elasticsearch has a vector in base64. Lists that differ in how their numbers
are spelled, as ``1`` and ``1.0`` or ``0`` and ``-0.0``, have one text. The node writes and reads
the same.
"""

from __future__ import annotations

import binascii
import json
import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .errors import EncodeError

MOST_OF_FLOAT32 = 3.4028234663852886e38

_FLOAT = struct.Struct(">f")
_ZERO, _MINUS_ZERO = _FLOAT.pack(0.0), _FLOAT.pack(-0.0)


def number_list(given: Any) -> Any:
    """A list as requests have it, of an array too; EncodeError for none, or one of no number."""
    value = given.tolist() if hasattr(given, "tolist") else given
    if not text_of_numbers(value):
        raise EncodeError("it has no number")
    return value


def number_lists(given: Iterable[Any]) -> list[Any]:
    """The same of several; EncodeError with the place of the first that is none."""
    lists = []
    for place, each in enumerate(given):
        try:
            lists.append(number_list(each))
        except EncodeError as error:
            raise EncodeError(f"list {place}: {error}", place) from None
    return lists


def list_in_json(text: str) -> Any:
    """The list that JSON has, such as ``[0.5, 1]``; EncodeError for other text, as above."""
    try:
        return number_list(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise EncodeError(f"it is no JSON: {error}") from None


class NumberList(NamedTuple):
    """What a text has of a list: ``channels`` numbers a step, as the bits of their float32."""

    channels: int
    bits: Sequence[int]


def text_of_numbers(value: Any) -> str:
    """The text of a list of numbers, or of lists of as many; empty for an empty list.

    A number by itself is a list of one, and a list of numbers has one channel. Raises EncodeError
    for what is no such list, or has a number that float32 cannot hold.
    """
    if _is_number(value):
        value = [value]
    if not isinstance(value, list | tuple):
        raise EncodeError(f"it is {_what(value)}, not a list of numbers")
    if not value:
        return ""
    steps, channels = value, 1
    if isinstance(value[0], list | tuple):
        channels = len(value[0])
    else:
        steps = [(each,) for each in value]
    packed = bytearray()
    for place, step in enumerate(steps):
        packed += _packed(step, place, channels, nested=steps is value)
    return f"{channels}:{b64encode(packed).decode()}"


def numbers_of_text(text: str) -> NumberList:
    """What ``text_of_numbers`` put into a text; EncodeError for any other text."""
    channels, _, content = text.partition(":")
    try:
        packed = b64decode(content, validate=True)
        found = NumberList(int(channels), struct.unpack(f">{len(packed) // 4}I", packed))
    except (binascii.Error, ValueError, struct.error):
        found = NumberList(0, ())
    if found.channels < 1 or not found.bits or len(found.bits) % found.channels:
        raise EncodeError(f"{text[:40]!r} is a text, and no list of numbers")
    return found


def bits_of(numbers: Sequence[float]) -> list[int]:
    """Numbers that float32 can hold -> the bits that it has for each."""
    return list(struct.unpack(f">{len(numbers)}I", struct.pack(f">{len(numbers)}f", *numbers)))


def numbers_of(bits: Sequence[int]) -> list[float]:
    """Bits -> the numbers that ``bits_of`` had."""
    return list(struct.unpack(f">{len(bits)}f", struct.pack(f">{len(bits)}I", *bits)))


def _packed(step: Any, place: int, channels: int, *, nested: bool) -> bytes:
    if not isinstance(step, list | tuple):
        raise EncodeError(f"it has {_what(step)} at [{place}], and a list of channels at [0]")
    if not step or len(step) != channels:
        raise EncodeError(
            f"it has {len(step)} channels at [{place}], and {channels} at [0]; each step has as"
            " many, and one at least"
        )
    return b"".join(
        _number(number, f"[{place}][{channel}]" if nested else f"[{place}]")
        for channel, number in enumerate(step)
    )


def _number(value: Any, at: str) -> bytes:
    if not _is_number(value):
        raise EncodeError(f"it has {_what(value)} at {at}, where a number must be")
    try:
        if math.isfinite(value):
            packed = _FLOAT.pack(value)
            return _ZERO if packed == _MINUS_ZERO else packed
    except OverflowError:
        pass
    raise EncodeError(f"it has a number at {at} that no float of 32 bits can hold")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _what(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in _NAMES.items():
        if isinstance(value, kind):
            return name
    return f"a value of type {type(value).__name__}"


_NAMES: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}
