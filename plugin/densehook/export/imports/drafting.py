"""What every bundle of a graph has alike: what it is made of, and what its gate shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...bundle import Manifest
from ..kinds import Parity
from ..recipe import Recipe
from .files import Files
from .graph import Graph


@dataclass(frozen=True)
class Asked:
    """A graph of which a bundle is to be made at ``output``, and what is known of it.

    ``source`` is the graph's output that makes it an encoder, ``weights`` the folder of the model
    that it was made of, where that is there.
    """

    files: Files
    recipe: Recipe
    output: Path
    graph: Graph
    source: str
    weights: Path | None
    progress: Callable[[str], None]

    @property
    def folder(self) -> Path:
        """Where the model's configuration is, if anywhere."""
        return self.files.folder or self.files.model.parent


def declared(manifest: Manifest, parity: Parity) -> Manifest:
    """The manifest, batch-dependent where the graph's operators or its rows say so."""
    dependent = manifest.batch_dependent or parity.batch_dependent
    return replace(manifest, batch_dependent=dependent)
