"""Filters as they are typed become Elasticsearch's queries, or one line says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from densehook.errors import RequestError
from densehook.hooks import filter_of


def equal(field: str, value: str) -> dict[str, Any]:
    return {"match": {field: {"query": value, "operator": "and"}}}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("lang=en", equal("lang", "en")),
        (" meta.lang = en us ", equal("meta.lang", "en us")),
        ("url=https://a.example/?q=1", equal("url", "https://a.example/?q=1")),
        ("lang!=en", {"bool": {"must_not": [equal("lang", "en")]}}),
        ("year>=2020", {"range": {"year": {"gte": "2020"}}}),
        ("year > 2020", {"range": {"year": {"gt": "2020"}}}),
        ("day<=2020-01-31", {"range": {"day": {"lte": "2020-01-31"}}}),
        ("n<-1", {"range": {"n": {"lt": "-1"}}}),
        ('{"exists": {"field": "n"}}', {"exists": {"field": "n"}}),
    ],
)
def test_what_is_typed_is_a_query(text: str, query: dict[str, Any]) -> None:
    assert filter_of(text) == query


@pytest.mark.parametrize("text", ["", "lang", "=en", "lang=", "a b=c", "{nothing"])
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(RequestError, match="filter "):
        filter_of(text)
