"""docs/cli.md, written from the commands themselves: `python -m densehook.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from .app import app

_HEAD = """\
# Command line

Written from the code by `make docs`; a test holds the two together.

Results go to stdout, progress and errors to stderr. An error is one line; `--debug` shows its
traceback.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | an error, or some documents could not be indexed, or (`es status`) no node runs |
| 2 | the command line is wrong |
| 70 | a bug |
| 75 | the cluster stayed busy or gone; the same command may go on later |
| 130 | interrupted |
| 143 | terminated |
"""


def reference() -> str:
    """The whole command line as Markdown."""
    parts = [_HEAD]
    for path, command in _commands(typer.main.get_command(app()), "densehook"):
        parts.append(f"## `{path}`\n\n{command.help}\n")
        parts.append("\n".join(_parameters(command)) + "\n")
    return "\n".join(part for part in parts if part.strip())


# Commands and parameters are typer's own classes, which it does not export: hence Any.
def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, f"{path} {name}")


def _parameters(command: Any) -> Iterator[str]:
    rows = [(_name(p), _help(p)) for p in command.params if "--help" not in p.opts]
    if rows:
        yield "| argument or option | what it is |"
        yield "| --- | --- |"
        yield from (f"| {name} | {text} |" for name, text in rows)


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    names = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} `VALUE`"


def _help(parameter: Any) -> str:
    notes = [f"or `{parameter.envvar}`"] if parameter.envvar else []
    if parameter.required and parameter.param_type_name == "option":
        notes.append("required")
    if not (parameter.default is None or parameter.default is False or parameter.default == ""):
        notes.append(f"default `{parameter.default}`")
    text = f"{parameter.help} ({'; '.join(notes)})" if notes else str(parameter.help)
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
