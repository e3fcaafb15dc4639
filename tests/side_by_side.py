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


LONG = (
    "tests/e2e/test_scifact.py",
    "tests/e2e/test_readme.py",
    "tests/contract/test_export.py",
    "tests/contract/test_soup.py",
    "tests/contract/test_pyserini.py",
    "tests/contract/test_variants.py",
)
"""Files of few tests that take minutes: begun before the short ones, so that none is left alone."""
_FIRST = 300
"""Groups of more tests than this are begun first of all."""


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

    def _assign_work_unit(self, node: Any) -> None:
        if not self.assigned_work.get(node):
            self._begin_with_what_takes_long()
        super()._assign_work_unit(node)

    def _begin_with_what_takes_long(self) -> None:
        def weight(group: str) -> int:
            return max(len(self.workqueue[group]), _FIRST if group in LONG else 0)

        for group in sorted(self.workqueue, key=weight):
            self.workqueue.move_to_end(group, last=False)


def scheduler(config: Any, log: Any) -> SideBySide:
    """What xdist asks for."""
    return SideBySide(config, log)
