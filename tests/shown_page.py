"""The examples of a page, and whether what is printed is what it shows."""

from __future__ import annotations

import re

EXAMPLE = re.compile(r"```(sh|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
"""Language, what is run, and what the page says is printed then; empty where it says nothing."""


def lines(text: str) -> list[str]:
    """Lines with single blanks: a table is as wide as its longest cell."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def fits(shown: str, real: str) -> bool:
    """Whether a line is what the page shows, which leaves things out with ``…``, or nothing."""
    pattern = ".*".join(re.escape(part.strip()) for part in shown.split("…"))
    return re.fullmatch(pattern, real) is not None


def require_shown(command: str, shown: str, printed: str) -> None:
    """Fails unless each line that was printed is the page's."""
    for line, real in zip(lines(shown), lines(printed), strict=True):
        assert fits(line, real), f"{command}\nshown:   {line}\nprinted: {real}"
