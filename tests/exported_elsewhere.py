"""A program for an environment of its own: exports models there, beside what others make of them.

    python exported_elsewhere.py FOLDER

FOLDER/NAME/bundle is the bundle, FOLDER/NAME/ROLE.npy sentence-transformers' vectors of TEXTS.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from densehook.export.texts import PASSAGES, QUESTIONS, beyond

ROOT = Path(__file__).parent.parent
REAL = ROOT / "onnx_models" / "all-minilm-l6-v2.toml"
TINY: Mapping[str, Mapping[str, object]] = {
    "bert": {"pooling": "cls+mean"},
    "xlm-roberta": {"prompts": {"query": "query: ", "document": "passage: "}},
    "modernbert": {},
    "qwen3": {"pooling": "last", "prompts": {"query": "Instruct: find it\nQuery: "}},
    "gemma3": {"prompts": {"query": "search: "}, "include_prompt": False},
}
"""Architectures, and how their folders are described."""


def texts(positions: int) -> list[str]:
    """Short and long ones, and one beyond the model's positions."""
    return [*PASSAGES[:12], *QUESTIONS[:6], "a", beyond(positions)]


def main(folder: Path) -> None:
    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer

    import tiny_models
    from densehook.export import Recipe, export_bundle, read_recipe

    for name, described in TINY.items():
        torch.manual_seed(0)
        model = folder / name / "model"
        tiny_models.ARCHITECTURES[name](model)
        tiny_models.describe(model, **described)  # type: ignore[arg-type]
        export_bundle(Recipe(name=name, source=str(model)), folder / name / "bundle")
        theirs = SentenceTransformer(str(model), device="cpu")
        every = texts(tiny_models.POSITIONS)
        np.save(folder / name / "query.npy", theirs.encode_query(every, batch_size=8))
        np.save(folder / name / "document.npy", theirs.encode_document(every, batch_size=8))
    export_bundle(read_recipe(REAL), folder / "real" / "bundle")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
