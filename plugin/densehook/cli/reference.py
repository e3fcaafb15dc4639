"""docs/cli.md, written from the commands themselves: `python -m densehook.cli.reference`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import typer

from .app import app


def reference() -> str:
    """The whole command line as Markdown."""
    root = typer.main.get_command(app)
    lines = ["# Command line", ""]
    lines += ["Written from the code by `make docs`; a test holds the two together.", ""]
    lines += [
        "Results go to stdout, progress and errors to stderr. Exit code 0: done; 1: an error,"
    ]
    lines += ["or some documents could not be indexed; 2: the command line is wrong.", ""]
    for path, command in _commands(root, "densehook"):
        lines += [f"## `{path}`", "", command.help or "", ""]
        lines += [*_parameters(command), ""]
    return "\n".join(lines).rstrip() + "\n"


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, f"{path} {name}")


def _parameters(command: click.Command) -> Iterator[str]:
    rows = [(_name(p), _help(p)) for p in command.params if "--help" not in p.opts]
    if rows:
        yield "| argument or option | what it is |"
        yield "| --- | --- |"
        yield from (f"| {name} | {text} |" for name, text in rows)


def _name(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return f"`{(parameter.name or '').upper()}`"
    names = ", ".join(f"`{option}`" for option in parameter.opts)
    return names if getattr(parameter, "is_flag", False) else f"{names} `VALUE`"


def _help(parameter: click.Parameter) -> str:
    text = str(getattr(parameter, "help", "") or "")
    variable = getattr(parameter, "envvar", None)
    notes = [f"or `{variable}`"] if variable else []
    if parameter.required and isinstance(parameter, click.Option):
        notes.append("required")
    if parameter.default not in (None, False, ""):
        notes.append(f"default `{parameter.default}`")
    text += f" ({'; '.join(notes)})" if notes else ""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
