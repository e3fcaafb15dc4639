"""`pip install densehook` without extras: small, and enough where the cluster encodes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import succeeded
from conftest import ROOT
from densehook import node
from densehook.bundle import Bundle
from own_environment import own_environment

MOST_MB = 60
HEAVY = ("numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers", "pyserini")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which densehook alone was installed.

    Its client is one that the nodes of both versions understand.
    """
    folder = tmp_path_factory.mktemp("light") / "environment"
    return own_environment(folder, str(ROOT), "elasticsearch<9")


@pytest.fixture
def run(light: Path, minilm_bundle: Bundle, tmp_path: Path) -> Run:
    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [light.with_name("densehook"), *map(str, arguments)],
            cwd=tmp_path,
            env={
                **os.environ,
                "COLUMNS": "120",
                "DENSEHOOK_MODELS": str(minilm_bundle.path.parent),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_it_is_small_and_runs_nothing_heavy(light: Path) -> None:
    packages = next((light.parent.parent / "lib").glob("python3*/site-packages"))
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file())
    assert size < MOST_MB * 2**20
    assert not [name for name in HEAVY if (packages / name).exists()]


def test_it_does_all_that_the_cluster_encodes_for(
    run: Run, plugin_node: node.NodeState, plugin_index: str, minilm_bundle: Bundle, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(
        '{"id": "a", "title": "Vaccines", "text": "They train the immune system."}\n'
        '{"id": "b", "title": "Kittens", "text": "They are young cats."}\n'
    )
    there = {"DENSEHOOK_ES_URL": plugin_node.url}
    made = run("create", plugin_index, "--encoder", minilm_bundle.path, **there)
    assert "in the cluster" in succeeded(made)
    assert "indexed 2 documents" in succeeded(run("ingest", plugin_index, corpus, **there))
    for mode in ("bm25", "dense", "hybrid"):
        found = run("search", plugin_index, "vaccines", "--mode", mode, "--json", **there)
        assert json.loads(succeeded(found))["hits"][0]["id"] == "a"
    assert f"{plugin_index}, embedding" in succeeded(run("doctor", **there))


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("bench all-minilm-l6-v2", "encode"),
        ("export sentence-transformers/all-MiniLM-L6-v2", "export"),
        ("curve recipe.toml", "export"),
        ("tune all-minilm-l6-v2", "tune"),
        ("whiten all-minilm-l6-v2 other", "tune"),
        ("demo", "demo"),
        ("compare passages", "page"),
    ],
)
def test_what_is_missing_is_named_with_how_to_install_it(
    run: Run, command: str, extra: str, tmp_path: Path
) -> None:
    (tmp_path / "recipe.toml").write_text('source = "model"\n')
    done = run(*command.split(), DENSEHOOK_ES_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"pip install 'densehook[{extra}]'")
    assert done.stderr.count("\n") == 1
