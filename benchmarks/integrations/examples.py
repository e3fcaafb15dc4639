"""The examples of docs/integrations.md: their code, what it prints, whose package it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "integrations.md"
_BLOCK = re.compile(
    r"^## (?P<heading>[^\n]+)$|```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<printed>.*?)```)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """A block of Python, and the text that it prints where the page shows one."""

    tool: str
    code: str
    printed: str | None

    @property
    def lines(self) -> int:
        """Lines of code, imports among them."""
        return len([line for line in self.code.splitlines() if line.strip()])


def examples(page: str) -> list[Example]:
    """Those of a page, in their order, under the heading they stand under."""
    found, heading = [], ""
    for block in re.finditer(_BLOCK, page):
        if block["heading"] is not None:
            heading = block["heading"]
        else:
            found.append(Example(heading, block["code"], block["printed"]))
    return found
