"""The command `densehook` and how it ends: a result, or one line that says what is wrong."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Annotated

import typer

from .._version import __version__
from ..errors import ClusterUnavailable, DensehookError
from .console import fail, note

_INTERRUPTED = 130
_TERMINATED = 143
_BUG = 70
_TRY_AGAIN = 75  # as sysexits.h has it

COMMANDS: Mapping[str, str] = {
    "export": "export",
    "import": "importing",
    "tune": "tune",
    "soup": "soup",
    "whiten": "whiten",
    "pair": "pair",
    "curve": "curve",
    "bench": "bench",
    "create": "index",
    "ingest": "index",
    "embed": "embed",
    "migrate": "migrate",
    "vectors": "vectors",
    "impacts": "impacts",
    "search": "search",
    "rerank": "rerank",
    "compare": "compare",
    "doctor": "doctor",
    "evaluate": "evaluate",
    "measure": "measure",
    "optimise": "optimise",
    "ann": "ann",
    "reproduce": "reproduce",
    "demo": "demo",
    "es": "es",
}
"""In which module each command is, in the order of the help."""


_FUNCTIONS: Mapping[str, str] = {"import": "import_"}
"""What a command is called in its module, where Python keeps its name for itself."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"densehook {__version__}")
        raise typer.Exit


def _densehook(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, format="%(message)s")
    for chatty in ("elastic_transport", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING if debug else logging.ERROR)


def app(commands: Iterable[str] = tuple(COMMANDS)) -> typer.Typer:
    """The command line with these commands."""
    made = typer.Typer(
        help="Dense and hybrid retrieval on Elasticsearch with your own ONNX encoder.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        callback=_densehook,
    )
    for name in commands:
        module = import_module(f".{COMMANDS[name]}", __package__)
        if hasattr(module, "app"):
            made.add_typer(module.app, name=name)
        else:
            made.command(name)(getattr(module, _FUNCTIONS.get(name, name)))
    return made


def _called(arguments: Iterable[str]) -> tuple[str, ...]:
    """The command that is called, so that the others need not be imported; else all."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    return (first,) if first in COMMANDS else tuple(COMMANDS)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """A warning of a library, as Elasticsearch's of a mapping, without where it was raised."""
    note(f"warning: {message}")


def _terminate(*_: object) -> None:
    sys.exit(_TERMINATED)


def main() -> None:
    """Runs the command line; an error is one line, its traceback only with --debug."""
    debug = "--debug" in sys.argv[1:]
    warnings.showwarning = _show_warning
    signal.signal(signal.SIGTERM, _terminate)  # what is half made is cleared away
    try:
        app(_called(sys.argv[1:]))()
    except DensehookError as error:
        if debug:
            raise
        fail(str(error))
        sys.exit(_TRY_AGAIN if isinstance(error, ClusterUnavailable) else 1)
    except KeyboardInterrupt:
        if debug:
            raise
        fail("interrupted")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        fail(f"{type(error).__name__}: {error}; this is a bug, --debug shows where")
        sys.exit(_BUG)
