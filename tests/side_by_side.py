"""Which tests one process runs, where there are several: those that share a node."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

from versions import VERSIONS

ROOT = Path(__file__).parent.parent

_SHARED = {
    "nodes with the plugin": r"\b(plugin_(node|client|index)|crowded_node|two_nodes)\b",
    "the plain node": r"\bnode_url\b|\bclient: Elasticsearch\b",
}
"""What is made once for a run, and how a file shows that it needs it."""


@cache
def group_of(file: str) -> str:
    """The name of the files that are run by one process; of most files their own."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return next((name for name, shows in _SHARED.items() if re.search(shows, text)), file)


def group_of_test(nodeid: str) -> str:
    """The name of the tests that are run by one process: in a file of nodes, those of a version."""
    file, _, test = nodeid.partition("::")
    group = group_of(file)
    version = next((each for each in VERSIONS if each in test), "") if group in _SHARED else ""
    return f"{group} {version}".strip()


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole groups of tests, so that each node is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of_test(nodeid)


def scheduler(config: Any, log: Any) -> SideBySide:
    """What xdist asks for."""
    return SideBySide(config, log)
