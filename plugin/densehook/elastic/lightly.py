"""Importing the Elasticsearch client without what a command never uses.

It imports what it can find: an asynchronous half as large as the other, three HTTP libraries,
numpy, pandas and pyarrow. That takes longer than a search. A command sends plain values through the
default transport, one request at a time, and needs none of it.
"""

from __future__ import annotations

import sys
from types import ModuleType

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


def import_client_lightly() -> None:
    """Imports the client, unless it is imported; for a process that will not await anything.

    Afterwards all that was left out can be imported as ever.
    """
    if "elasticsearch" in sys.modules:
        return
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    package, client = ModuleType(_ASYNC), ModuleType(f"{_ASYNC}.client")
    package.__path__ = []
    client.AsyncElasticsearch = type("AsyncElasticsearch", (), {})  # type: ignore[attr-defined]
    sys.modules.update({_ASYNC: package, f"{_ASYNC}.client": client})
    try:
        import elasticsearch  # noqa: F401
    finally:
        for name in (*hidden, _ASYNC, f"{_ASYNC}.client"):
            del sys.modules[name]
