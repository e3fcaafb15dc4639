"""Pyserini's command lines with a bundle of ours where they take a model.

    python -m densehook.pyserini encode       …   is   python -m pyserini.encode       …
    python -m densehook.pyserini search.faiss …   is   python -m pyserini.search.faiss …

Pyserini names its encoders' classes in two dicts, and finds the class of ``--encoder`` by looking
for their keys in its value. Here the value itself is the first key, of DensehookDocumentEncoder and
of DensehookQueryEncoder, or of the class whose path ``--encoder-class`` gives; then Pyserini's own
program runs. One of Pyserini's own names for a class, as ``auto``, stays what it is there.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import DensehookError, RequestError

_ENCODER, _CLASS = "--encoder", "--encoder-class"
_USAGE = (
    "usage: python -m densehook.pyserini MODULE …, where MODULE is what stands behind pyserini. in"
    " Pyserini's own command, as encode or search.faiss"
)


def main(arguments: Sequence[str]) -> None:
    """Runs the program of Pyserini that the first argument names, with the others.

    Raises RequestError for none, or for a class that there is not; MissingTool, JavaNotFound.
    """
    if not arguments or arguments[0].startswith("-"):
        raise RequestError(_USAGE)
    from ..integrations.pyserini import pyserini_can_start

    name, left = f"pyserini.{arguments[0]}", list(arguments[1:])
    with pyserini_can_start():
        if not _can_run(name):
            raise RequestError(f"Pyserini has no program {arguments[0]!r}; {_USAGE}")
        encoder = _value(left, _ENCODER)
        if encoder is not None:
            left = _registered(encoder, left)
        sys.argv = [name, *left]
        runpy.run_module(name, run_name="__main__", alter_sys=True)


def _can_run(module: str) -> bool:
    try:
        found = find_spec(module)
        package = found is not None and found.submodule_search_locations is not None
        return found is not None and (not package or find_spec(f"{module}.__main__") is not None)
    except ModuleNotFoundError:
        return False


def _registered(encoder: str, arguments: list[str]) -> list[str]:
    """Makes the encoder's name that of its class; gives the arguments without the class's path."""
    from pyserini.encode import document_encoder_class_map, query_encoder_class_map

    from ..integrations.pyserini import DensehookDocumentEncoder, DensehookQueryEncoder

    path = _value(arguments, _CLASS)
    if path is not None and "." not in path:
        return arguments
    given = None if path is None else _class_of(path)
    for classes, ours in (
        (document_encoder_class_map, DensehookDocumentEncoder),
        (query_encoder_class_map, DensehookQueryEncoder),
    ):
        others = dict(classes)
        classes.clear()
        classes.update({encoder.lower(): given or ours, **others})
    return _without(arguments, _CLASS)


def _class_of(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RequestError(f"{_CLASS} {path}: there is no such class ({error})") from None


def _value(arguments: Sequence[str], option: str) -> str | None:
    """What an option is given, as ``--option value`` or ``--option=value``."""
    for number, argument in enumerate(arguments):
        if argument == option and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None


def _without(arguments: Sequence[str], option: str) -> list[str]:
    left, skip = [], False
    for argument in arguments:
        if not skip and argument != option and not argument.startswith(f"{option}="):
            left.append(argument)
        skip = not skip and argument == option
    return left


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DensehookError as error:
        raise SystemExit(f"error: {error}") from None
