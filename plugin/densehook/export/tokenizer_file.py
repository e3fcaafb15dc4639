"""A bundle's tokenizer.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_tokenizer(tokenizer: Any, staging: Path) -> None:
    """Writes tokenizer.json of one of transformers' tokenizers; whoever reads it cuts and pads."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.save(str(staging / "tokenizer.json"))
