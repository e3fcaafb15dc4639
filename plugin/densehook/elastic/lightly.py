"""Importing the Elasticsearch client without what a command never uses.

It imports what it can find: an asynchronous half as large as the other, forty groups of APIs, three
HTTP libraries, numpy, pandas and pyarrow. That takes longer than a search. A command sends plain
values through the default transport, one request at a time, to a handful of APIs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_OPTIONAL = (
    "aiohttp",
    "httpx",
    "numpy",
    "opentelemetry",
    "orjson",
    "pandas",
    "pyarrow",
    "requests",
)
_ASYNC = "elasticsearch._async"
_SYNC = "elasticsearch._sync.client"
_USED = {"_base", "cluster", "indices", "ingest", "license", "nodes", "utils"}
"""Of the client's modules: its groups of APIs that commands call, and what those stand on."""


def import_client_lightly() -> None:
    """Imports the client, unless it is imported; for a process that will not await anything.

    It has no API groups but those that this package calls. Afterwards all modules that were left
    out can be imported as ever.
    """
    if "elasticsearch" in sys.modules:
        return
    with _hidden(), _left_out():
        import elasticsearch  # noqa: F401


@contextmanager
def _hidden() -> Iterator[None]:
    """Optional libraries are not to be found."""
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _left_out() -> Iterator[None]:
    """Modules of the client that no command uses are empty."""
    finder = _LeftOut()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.found:
            del sys.modules[name]


class _LeftOut(MetaPathFinder, Loader):
    """Finds empty modules: any class that is imported from one takes what it is given."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        is_async = f"{fullname}.".startswith(f"{_ASYNC}.")
        if not is_async and (package != _SYNC or name in _USED):
            return None
        self.found.append(fullname)
        return ModuleSpec(fullname, self, is_package=is_async)

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = _empty_class  # type: ignore[method-assign]


def _empty_class(name: str) -> Any:
    if not name[0].isupper():
        raise AttributeError(name)
    return type(name, (), {"__init__": lambda self, client: None})
