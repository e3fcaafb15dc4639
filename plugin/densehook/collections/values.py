"""Values of tables and of people's own rows, as JSON holds them."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Callable, Mapping, Set
from typing import Any

_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    datetime.datetime: datetime.datetime.isoformat,
    datetime.date: datetime.date.isoformat,
    datetime.time: datetime.time.isoformat,
    decimal.Decimal: float,
    uuid.UUID: str,
}
"""Kinds of values that JSON has not, and what is written for them."""

_TIMES = ("M", "m")
"""numpy's moments and spans, which as nanoseconds become bare numbers."""


def plain_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Fields with plain values; those that are missing (NaN, NaT, NA) are left out.

    Raises ValueError, naming the field, for a value that JSON cannot hold.
    """
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if is_missing(value):
            continue
        if str(name) in made:
            raise ValueError(f"field {str(name)!r} is there twice")
        try:
            made[_text(str(name))] = plain(value)
        except RecursionError:
            raise ValueError(f"field {str(name)!r} is nested too deeply") from None
        except ValueError as error:
            raise ValueError(f"field {str(name)!r} {error}") from None
    return made


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: NaN, and what pandas has beside it."""
    if isinstance(value, str | int):
        return False
    if isinstance(value, float):
        return math.isnan(value)
    # numpy's numbers are unlike themselves when they are NaN, as NaT is; an array has no one answer
    return type(value).__name__ in ("NaTType", "NAType") or (
        hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0 and bool(value != value)
    )


def plain(value: Any) -> Any:
    """A value as JSON's own: None, a boolean, a number, text, a list, or an object.

    Raises ValueError for what is none of them.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _number(value)
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_text(str(name)): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | Set):
        return [plain(each) for each in value]
    for kind, written in _WRITTEN.items():
        if isinstance(value, kind):
            return plain(written(value))
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # numpy's numbers and arrays
        if getattr(value.dtype, "kind", "") in _TIMES:
            value = value.astype(f"{value.dtype.kind}8[us]")
        return plain(value.tolist())
    raise ValueError(f"holds a value of type {type(value).__name__}, which JSON cannot hold")


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"holds {value}, which is no number in JSON")
    return float(value)


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds a lone surrogate, which no UTF-8 can hold") from None
    return str.__str__(value)  # numpy has a text of its own
