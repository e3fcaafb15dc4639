"""What the page's browser asks, parsed where it comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..bundle import is_blank, well_formed
from ..errors import RequestError
from ..hooks import filter_of
from ..index import Asked

MOST_HITS = 100
"""Hits of one column."""

MOST_GRADE = 9
"""The highest that a key can give."""

_AND = re.compile(r"\s&\s")


@dataclass(frozen=True)
class Search:
    """One column's search."""

    text: str
    asked: Asked


@dataclass(frozen=True)
class Judgement:
    """What somebody says of a document for a question; no grade takes back what was said."""

    text: str
    document: str
    grade: int | None


@dataclass(frozen=True)
class Grading:
    """What somebody says of a document for a query of a pool; no grade takes it back."""

    query: str
    document: str
    grade: int | None


def question_of(body: Mapping[str, Any]) -> str:
    """The question. Raises RequestError for none."""
    text = well_formed(_text(body, "q"))
    if is_blank(text):
        raise RequestError("the question has no text; type one")
    return text


_LISTS = ("bm25", "dense")
"""What the page calls the lists of hybrid search, whatever the vectors."""


def search_of(body: Mapping[str, Any]) -> Search:
    """A search. Raises RequestError for what makes no sense."""
    size = _number(body, "size", 10)
    if not 1 <= size <= MOST_HITS or size != int(size):
        raise RequestError(f"size is {size:g}; it must be from 1 to {MOST_HITS}")
    mode = _text(body, "mode")
    is_fused = mode == "hybrid"
    fusion = _text(body, "fusion", "rrf")
    weights = {name: _number(body, name, 1.0) for name in _LISTS}
    asked = Asked(
        mode=mode,
        size=int(size),
        filter=filters_of(_text(body, "filter")),
        fusion=fusion if is_fused else "rrf",
        weights=weights if is_fused else None,
        highlight=True,
        explain=is_fused,
    )
    return Search(question_of(body), asked)


def judgement_of(body: Mapping[str, Any]) -> Judgement:
    """A judgement. Raises RequestError for what is none."""
    grade = body.get("grade")
    if grade not in (None, 0, 1) or isinstance(grade, bool):
        raise RequestError(f"grade is {grade!r}; it must be 1, 0 or null")
    return Judgement(question_of(body), document_of(body), grade)


def grading_of(body: Mapping[str, Any]) -> Grading:
    """A judgement of a pool's pair. Raises RequestError for what is none."""
    grade = body.get("grade")
    whole = isinstance(grade, int) and not isinstance(grade, bool)
    if grade is not None and not (whole and 0 <= grade <= MOST_GRADE):
        raise RequestError(f"grade is {grade!r}; it must be from 0 to {MOST_GRADE}, or null")
    return Grading(query_of(body), document_of(body), grade)


def query_of(body: Mapping[str, Any]) -> str:
    """A query's id. Raises RequestError for none."""
    query = _text(body, "query")
    if not query:
        raise RequestError("there is no query; name it by its id")
    return query


def order_of(body: Mapping[str, Any]) -> str:
    """In which order pairs are wanted."""
    return _text(body, "order", "question")


def document_of(body: Mapping[str, Any]) -> str:
    """A document's id. Raises RequestError for none."""
    document = _text(body, "document")
    if not document or document != well_formed(document):
        raise RequestError(f"document {document!r} is no id of a document")
    return document


def filters_of(text: str) -> list[dict[str, Any]]:
    """Filters as ``lang=en & year>=2020``, or one query in JSON. Raises RequestError."""
    if is_blank(text):
        return []
    parts = [text] if text.lstrip().startswith("{") else _AND.split(text)
    return [filter_of(part) for part in parts]


def _text(body: Mapping[str, Any], name: str, otherwise: str = "") -> str:
    value = body.get(name, otherwise)
    if not isinstance(value, str):
        raise RequestError(f"{name} is {value!r}; it must be text")
    return value


def _number(body: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = body.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"{name} is {value!r}; it must be a number")
    return float(value)
