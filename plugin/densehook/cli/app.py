"""The command `densehook` and how it ends: a result, or one line that says what is wrong."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Annotated

import typer

from .._version import __version__
from ..errors import DensehookError
from . import (
    bench,
    compare,
    curve,
    demo,
    doctor,
    es,
    evaluate,
    export,
    index,
    search,
    soup,
    tune,
    whiten,
)
from .console import fail

_INTERRUPTED = 130
_TERMINATED = 143
_BUG = 70

app = typer.Typer(
    help="Dense and hybrid retrieval on Elasticsearch with your own ONNX encoder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"densehook {__version__}")
        raise typer.Exit


@app.callback()
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


app.command("export")(export.export)
app.command("tune")(tune.tune)
app.command("soup")(soup.soup)
app.command("whiten")(whiten.whiten)
app.command("curve")(curve.curve)
app.command("bench")(bench.bench)
app.command("create")(index.create)
app.command("ingest")(index.ingest)
app.command("search")(search.search)
app.command("compare")(compare.compare)
app.command("doctor")(doctor.doctor)
app.command("evaluate")(evaluate.evaluate)
app.command("demo")(demo.demo)
app.add_typer(es.app, name="es")


def _terminate(*_: object) -> None:
    sys.exit(_TERMINATED)


def main() -> None:
    """Runs the command line; an error is one line, its traceback only with --debug."""
    debug = "--debug" in sys.argv[1:]
    signal.signal(signal.SIGTERM, _terminate)  # what is half made is cleared away
    try:
        app()
    except DensehookError as error:
        if debug:
            raise
        fail(str(error))
        sys.exit(1)
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
