"""The documented command line is the real one."""

from __future__ import annotations

from pathlib import Path

from densehook.cli.reference import reference

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "cli.md"


def test_the_documented_command_line_is_the_real_one() -> None:
    assert DOCUMENT.read_text() == reference(), "write it anew with: make docs"
