"""The tool of an integration, or one line that says how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import MissingTool


@contextmanager
def needing(package: str, integration: str) -> Iterator[None]:
    """Imports within it may fail; then it raises MissingTool with the package to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingTool(error.name or package, package, integration) from error
