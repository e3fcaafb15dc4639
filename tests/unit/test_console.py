"""What the terminal shows while documents are read, and how options are understood."""

from __future__ import annotations

import io
import re

import pytest
import typer
from rich.console import Console

from densehook.cli import progress
from densehook.cli.options import renames
from densehook.files import Meter


@pytest.mark.parametrize(
    ("meter", "shown"),
    [
        (Meter(read=3 << 20, total=12 << 20), "3.0/12.0 MiB 1,234 documents"),
        (Meter(read=3 << 20), r"3.0/\? MiB 1,234 documents"),
    ],
)
def test_the_bar_of_a_file_shows_bytes_and_documents(
    monkeypatch: pytest.MonkeyPatch, meter: Meter, shown: str
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "err", terminal)
    with progress.reading_bar("Ingesting into passages", meter) as show:
        show(1234)
    assert isinstance(terminal.file, io.StringIO)
    drawn = terminal.file.getvalue()
    assert re.search(f"Ingesting into passages .* {shown}", drawn), drawn


def test_renames_are_pairs_of_names() -> None:
    assert renames(None) == {}
    assert renames(["body=text", "a b=c=d"]) == {"body": "text", "a b": "c=d"}


@pytest.mark.parametrize("given", [["text"], ["=text"], ["body="], ["a=b", "a=c"]])
def test_what_is_no_pair_of_names_is_one_line(given: list[str]) -> None:
    with pytest.raises(typer.BadParameter, match=r"give OLD=NEW|'a' is renamed twice") as error:
        renames(given)
    assert error.value.param_hint == "--rename"
