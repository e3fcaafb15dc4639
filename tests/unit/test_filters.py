"""Filters as they are typed become Elasticsearch's queries, or one line says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from densehook.errors import RequestError
from densehook.hooks import fields_in, filter_of


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


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (filter_of("lang=en"), ["lang"]),
        (filter_of("meta.lang!=en"), ["meta.lang"]),
        (filter_of("year>=2020"), ["year"]),
        ([filter_of("a=1"), {"exists": {"field": "b"}}], ["a", "b"]),
        ({"bool": {"filter": {"term": {"a": 1, "boost": 2}}, "should": [{"x": {}}]}}, ["a"]),
        ({"constant_score": {"filter": {"terms": {"a": [1]}}}}, ["a"]),
        ({"nested": {"path": "n", "query": {"prefix": {"n.a": "x"}}}}, ["n.a"]),
        ({"script": {"script": "x"}, "bool": "odd", "exists": [], "term": None}, []),
        (["odd", None], []),
    ],
)
def test_the_fields_of_a_query_are_known(query: Any, fields: list[str]) -> None:
    assert fields_in(query) == fields
