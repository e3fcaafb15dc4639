"""Bundles of random models that give three outputs in one run."""

from __future__ import annotations

from pathlib import Path

from densehook.bundle import Bundle

MAX_TERMS = 48


def make_m3_bundle(folder: Path, seed: int = 0) -> Bundle:
    """A bundle named m3-N, N the seed, of a model in ``folder``/model."""
    import torch

    import tiny_models
    from densehook.export import export_bundle, read_recipe

    torch.manual_seed(seed)
    tiny_models.make_m3(folder / "model")
    path = folder / f"m3-{seed}.toml"
    lines = ['source = "model"', 'also = ["sparse", "multi"]', f"max_terms = {MAX_TERMS}"]
    path.write_text("\n".join(lines) + "\n")
    return export_bundle(read_recipe(path), folder / "bundle")
