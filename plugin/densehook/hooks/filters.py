"""Filters as people write them: ``lang=en``, ``year>=2020``, or a query in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import RequestError

_COMPARISON = re.compile(r"(?P<field>[^\s=<>!]+)\s*(?P<sign>!=|>=|<=|=|>|<)\s*(?P<value>.+)", re.S)
_RANGES: Mapping[str, str] = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

_ON_FIELDS = ("term", "terms", "match", "match_phrase", "range", "prefix", "wildcard", "regexp")
"""Queries whose keys are fields."""

_INSIDE: Mapping[str, tuple[str, ...]] = {
    "bool": ("must", "filter", "should", "must_not"),
    "constant_score": ("filter",),
    "nested": ("query",),
}
"""Queries that hold others, and where."""


def filter_of(text: str) -> dict[str, Any]:
    """The query of a filter: ``field=value``, ``!=``, ``>``, ``>=``, ``<``, ``<=``, or JSON.

    Equality is a match of all words, which in a keyword, a number or a date is that very value.
    Raises RequestError for anything else.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return _query(stripped)
    found = _COMPARISON.fullmatch(stripped)
    if found is None:
        raise RequestError(
            f"filter {text!r} is not understood; write it like lang=en, year>=2020, or as a query"
            ' in JSON like {"term": {"lang": "en"}}'
        )
    field, sign, value = found.group("field", "sign", "value")
    if sign in _RANGES:
        return {"range": {field: {_RANGES[sign]: value}}}
    equal = {"match": {field: {"query": value, "operator": "and"}}}
    return equal if sign == "=" else {"bool": {"must_not": [equal]}}


def fields_in(query: Any) -> list[str]:
    """The fields that a query names, as far as its kinds are known here."""
    if isinstance(query, list):
        return [field for each in query for field in fields_in(each)]
    if not isinstance(query, Mapping):
        return []
    found: list[str] = []
    for kind, told in query.items():
        if kind in _INSIDE:
            found += [field for key in _INSIDE[kind] for field in fields_in(_at(told, key))]
        elif kind == "exists":
            found += [field for field in [_at(told, "field")] if isinstance(field, str)]
        elif kind in _ON_FIELDS and isinstance(told, Mapping):
            found += [field for field in told if field not in ("boost", "_name")]
    return found


def _at(told: Any, key: str) -> Any:
    return told.get(key) if isinstance(told, Mapping) else None


def _query(text: str) -> dict[str, Any]:
    try:
        query = json.loads(text)
    except ValueError as error:
        raise RequestError(f"filter {text!r} is no JSON: {error}") from None
    assert isinstance(query, dict)  # it begins with a brace
    return query
