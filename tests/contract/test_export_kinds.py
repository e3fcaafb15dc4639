"""The command that exports says of each kind, in its own terms, how near the graph is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import tiny_models
import tiny_pairs
from densehook.bundle import read_bundle
from densehook.cli.app import app


def _dense(folder: Path) -> Path:
    tiny_models.make_bert(folder / "model")
    return _recipe(folder, 'pooling = "mean"\nmax_tokens = 64')


def _cross(folder: Path) -> Path:
    return tiny_pairs.recipe(folder, "bert", 'activation = "identity"')


def _sparse(folder: Path) -> Path:
    tiny_models.make_masked_bert(folder / "model")
    return _recipe(folder, 'kind = "sparse"\nmax_terms = 16\nmax_tokens = 64')


def _multi(folder: Path) -> Path:
    tiny_models.make_colbert(folder / "model")
    return _recipe(folder, 'kind = "multi"')


def _recipe(folder: Path, more: str) -> Path:
    path = folder / "tiny.toml"
    path.write_text(f'source = "model"\n{more}\n')
    return path


@pytest.mark.parametrize(
    ("kind", "make", "said"),
    [
        ("dense", _dense, "88 texts: token ids equal, lowest cosine 1.0000000, largest difference"),
        ("cross", _cross, "180 pairs: token ids equal, largest difference of a score"),
        ("sparse", _sparse, "the same; of the weights' sum"),
        ("multi", _multi, "token vectors 1.0000000, largest difference of a score"),
    ],
)
def test_an_export_says_how_near_it_is(
    kind: str, make: Callable[[Path], Path], said: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    recipe = make(tmp_path)
    done = CliRunner().invoke(app(["export"]), ["export", str(recipe)])
    assert done.exit_code == 0, done.output
    assert "equal to PyTorch on " in done.output
    assert said in " ".join(done.output.split())
    assert read_bundle(recipe.parent / recipe.stem).manifest.kind == kind
