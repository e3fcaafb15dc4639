"""Bundles of graphs that others exported: what is there is recognised, the rest is added.

Nothing here needs the model's weights in PyTorch. So what such a bundle proves is that it serves
the graph as it was given, and its manifest says that this is all; with the weights at hand, how
near the graph is to them is measured as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ..folder import Settings
from ..gate import Expected
from . import dense
from .graph import Adapted, Graph
from .near import Near


class Importing(Protocol):
    """A kind's module here."""

    def output_of(self, graph: Graph) -> str | None:
        """The output of the graph that an encoder of this kind is made of; None for none."""

    def doubt(self, graph: Graph, output: str) -> str | None:
        """Why that output may be none of such an encoder, unless the kind is said; else None."""

    def part(self, settings: Settings, sample: Any) -> Any:
        """What the manifest states, where the graph gives ``sample`` for a text."""

    def adapted(self, graph: Graph, output: str, settings: Settings) -> Adapted:
        """The graph with what it lacks. Raises ExportError for one that cannot be completed."""

    def near_weights(self, given: Expected, settings: Settings, folder: Path) -> Near:
        """How near the untouched graph is to the model in a folder, in PyTorch.

        Raises ExportError where the folder is no such model, or reads texts otherwise.
        """

    def expected(self, settings: Settings, adapted: Adapted, value: Any) -> Any:
        """What the untouched graph's output for one text comes to, in plain arithmetic."""


IMPORTS: Mapping[str, Importing] = {"dense": dense}
"""The module of each kind whose graphs can be brought along."""
