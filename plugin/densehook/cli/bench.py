"""`densehook bench`: how fast a bundle is on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..errors import EncodeError
from ..files import text_lines
from ..number_lists import list_in_json, text_of_numbers
from .console import out
from .options import AsJson, read_lines
from .progress import steps

if TYPE_CHECKING:
    from ..bundle import Bundle

_IMAGES = (".jpg", ".jpeg", ".png")


def bench(
    bundle: Annotated[Path, typer.Argument(help="Bundle to measure.")],
    texts: Annotated[
        Path | None,
        typer.Option(
            "--texts",
            help="File with one text on each line, else Python's help topics; for an encoder of"
            " numbers with a list of them as JSON, else some are made up.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            help="Folder of JPEG and PNG files, for an encoder of images; else some are made up.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast a bundle is here, at what encoders of its kind do.

    Documents in bulk and queries one by one and at once; of a bundle of several kinds all of them
    in one run. A cross-encoder scores pairs in bulk, and reranks 50 texts for a query. An encoder
    of images encodes those too, one of numbers lists of them.
    """
    from ..bundle import read_bundle
    from ..encode.timing import timed
    from ..encode.timing.numbers import made_lists

    opened = read_bundle(bundle)
    if "numbers" in opened.manifest.modalities:
        given = _lists(texts) if texts else made_lists(opened.manifest)
    else:
        given = read_lines(texts) if texts else _passages()
    with steps("Encoder") as step:
        times = timed(opened, given, _files(images) if images else (), step)
    if as_json:
        measured: dict[str, Any] = asdict(times)  # type: ignore[call-overload]
        out.print_json(json.dumps({"bundle": str(bundle), **measured}))
    else:
        out.print(f"{_named(opened)}, {times.cpus} CPUs")
        out.print(_table(times.said()))


def _named(bundle: Bundle) -> str:
    manifest = bundle.manifest
    queries = "" if bundle.queries is None else f", queries by {_named(bundle.queries)}"
    return f"{manifest.name}, {manifest.precision}{queries}"


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        table.add_row(*row)
    return table


def _files(folder: Path) -> list[Path]:
    """The images in a folder, by name. Raises BadParameter where it has none."""
    found = sorted(each for each in folder.glob("*") if each.suffix.lower() in _IMAGES)
    if not found:
        raise typer.BadParameter(
            f"{folder} has no files {', '.join(_IMAGES)}; name a folder of images",
            param_hint="--images",
        )
    return found


def _lists(path: Path) -> list[str]:
    """The lists of numbers of a file's lines, as encoders take them. Raises BadParameter."""
    found = []
    for number, line in text_lines(path):
        try:
            found.append(text_of_numbers(list_in_json(line)))
        except EncodeError as error:
            raise typer.BadParameter(
                f"{path}:{number} must be a list of numbers, such as [0.5, 1]: {error}",
                param_hint="--texts",
            ) from None
    return found


def _passages() -> list[str]:
    from ..collections.packaged import passages

    return [passage.text for passage in passages()]
