"""The public face: few names, each there, each with its use shown."""

from __future__ import annotations

import dataclasses
import inspect
from typing import get_type_hints

import pytest

import densehook
from densehook.errors import CollectionError
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
