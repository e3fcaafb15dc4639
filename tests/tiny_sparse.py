"""Bundles of random sparse encoders, and what Lucene keeps of a weight."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from densehook.bundle import Bundle

MAX_TERMS = 48
STATED_TOKENS = 32
"""What ``describe`` says that a model reads."""


def make_sparse_bundle(
    folder: Path, seed: int = 0, *, idf: bool = False, recipe: str = ""
) -> Bundle:
    """A bundle named sparse-N, N the seed; with ``idf`` its queries are weighed by a table."""
    import torch

    import tiny_models
    from densehook.export import export_bundle, read_recipe

    torch.manual_seed(seed)
    model = folder / "model"
    tiny_models.make_masked_bert(model)
    lines = ['source = "model"', 'kind = "sparse"', f"max_terms = {MAX_TERMS}", recipe]
    if idf:
        (model / "idf.json").write_text(json.dumps(idf_of(model)))
        lines.append('idf = "idf.json"')
    path = folder / f"sparse-{seed}.toml"
    path.write_text("\n".join(lines) + "\n")
    return export_bundle(read_recipe(path), folder / "bundle")


def describe(model: Path, *modules: str, activation: str = "relu", strategy: str = "max") -> None:
    """What sentence-transformers writes beside a masked language model."""
    listed = [
        {
            "idx": n,
            "name": str(n),
            "path": "" if n == 0 else f"{n}_{name}",
            "type": f"sentence_transformers.sparse_encoder.models.{name}",
        }
        for n, name in enumerate(modules)
    ]
    (model / "modules.json").write_text(json.dumps(listed))
    folder = model / "1_SpladePooling"
    folder.mkdir(exist_ok=True)
    pooling = {"pooling_strategy": strategy, "activation_function": activation}
    (folder / "config.json").write_text(json.dumps(pooling))
    stated = json.dumps({"max_seq_length": STATED_TOKENS})
    (model / "sentence_bert_config.json").write_text(stated)


def idf_of(model: Path) -> dict[str, float]:
    """Weights by token, some of them 0, one of no token of the model."""
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    weights = {token: round(1 + number % 7 / 3, 4) for token, number in vocabulary.items()}
    return {**weights, "elephantine": 3.0, "the": 0}


def as_lucene_keeps(weight: float) -> float:
    """The first nine significant bits."""
    (bits,) = struct.unpack(">I", struct.pack(">f", weight))
    (kept,) = struct.unpack(">f", struct.pack(">I", bits >> 15 << 15))
    return float(kept)


def score(query: Mapping[str, float], document: Mapping[str, float]) -> float:
    """The sum over the query's tokens of weight times what Lucene keeps of the document's."""
    return sum(weight * as_lucene_keeps(document.get(token, 0)) for token, weight in query.items())
