"""What every bundle of a graph has alike: its tokenizer's file, and what its gate shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...bundle import Manifest
from ..kinds import Parity


def write_tokenizer(tokenizer: Any, staging: Path) -> None:
    """Writes tokenizer.json of a tokenizer of transformers'."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.save(str(staging / "tokenizer.json"))


def declared(manifest: Manifest, parity: Parity) -> Manifest:
    """The manifest, batch-dependent where the graph's operators or its rows say so."""
    dependent = manifest.batch_dependent or parity.batch_dependent
    return replace(manifest, batch_dependent=dependent)
