"""The public face: few names, each there, each with its use shown."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import get_type_hints

import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.errors import BundleError, CollectionError, DensehookError, RequestError
from densehook.index.asked import Asked, Options


def test_the_names_are_few_and_each_is_there() -> None:
    assert len(densehook.__all__) <= 25
    assert densehook.__all__ == sorted(densehook.__all__)
    for name in densehook.__all__:
        assert getattr(densehook, name) is not None
    assert set(densehook.__all__) <= set(dir(densehook))
    with pytest.raises(AttributeError, match="has no attribute 'searh'"):
        _ = densehook.searh  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted({"connect", "evaluate", "load"}))
def test_each_function_shows_its_use(name: str) -> None:
    assert f"densehook.{name}(" in inspect.getdoc(getattr(densehook, name))  # type: ignore[operator]


@pytest.mark.parametrize("kind", [densehook.Index, densehook.AsyncIndex])
def test_each_method_shows_its_use(kind: type) -> None:
    for name, method in inspect.getmembers(kind, callable):
        if not name.startswith("_") and name not in ("read", "searches", "send", "vectors_of"):
            assert f"{name}(" in (inspect.getdoc(method) or ""), name


def test_what_a_search_takes_is_said_once() -> None:
    names = [field.name for field in dataclasses.fields(Asked)]
    assert names == list(get_type_hints(Options))


def test_evaluate_is_called_and_imported_from_alike() -> None:
    from densehook.collections import open_collection
    from densehook.evaluate import open_collection as by_the_other_name

    assert by_the_other_name is open_collection
    with pytest.raises(CollectionError, match="there is no folder"):
        densehook.evaluate("./nowhere", index=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda es: densehook.Asked(filter=5), RequestError, "filter 5 is no query; write it"),
        (
            lambda es: densehook.Asked(filter="lang=en"),
            RequestError,
            "filter 'lang=en' is no query",
        ),
        (lambda es: densehook.Asked(weights=[1, 2]), RequestError, "weights is [1, 2]; write them"),
        (lambda es: densehook.Asked(min_scores=0.5), RequestError, "min_scores is 0.5; write them"),
        (
            lambda es: densehook.Asked(min_scores={"dense": -1}),
            RequestError,
            "the minimum score of dense is -1; it must be 0 or more",
        ),
        (lambda es: densehook.Asked(fields="title"), RequestError, "'title'; it must be a list of"),
        (lambda es: densehook.Index.open("http://x", "p"), RequestError, "client is of type str;"),
        (lambda es: densehook.Index.open(es, ""), RequestError, "the index has no name; name one"),
        (lambda es: densehook.load("x", es=es.indices), RequestError, "type IndicesClient; give"),
        (lambda es: densehook.load("a" * 5000), BundleError, "File name too long"),
        (lambda es: densehook.reciprocal_rank_fusion([], weights=[1]), RequestError, "1 weights"),
    ],
)
def test_what_cannot_be_asked_of_the_face_is_one_line_of_ours(
    call: Callable[[Elasticsearch], object], kind: type[DensehookError], said: str
) -> None:
    with Elasticsearch("http://127.0.0.1:9") as es, pytest.raises(kind) as caught:
        call(es)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_awaited_takes_what_is_not() -> None:
    def taken(method: object) -> list[tuple[str, object, object]]:
        parameters = inspect.signature(method).parameters.values()  # type: ignore[arg-type]
        return [
            (each.name, each.kind, "a function" if callable(each.default) else each.default)
            for each in parameters
        ]

    for name, method in inspect.getmembers(densehook.AsyncIndex, inspect.isroutine):
        if not name.startswith("_"):
            assert taken(method) == taken(getattr(densehook.Index, name)), name
