"""The Elasticsearch client of the next major version works on its own, and is refused by name."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import client_elsewhere
from conftest import ROOT
from densehook.bundle import Bundle
from densehook.node import NodeState
from own_environment import own_environment

VERSION = "9.5.1"  # the newest on PyPI
BESIDE = ("numpy", "onnxruntime", "rich", "tokenizers", "typer")
"""What densehook needs, in the versions that are here and need no download."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    beside = [f"{name}=={importlib.metadata.version(name)}" for name in BESIDE]
    client = f"elasticsearch[async]=={VERSION}"
    return own_environment(tmp_path_factory.mktemp("client-9") / "environment", client, *beside)


def test_it_works_on_its_own_version_and_says_so_on_an_older_one(
    python: Path, plugin_node: NodeState, minilm_bundle: Bundle
) -> None:
    done = subprocess.run(
        [python, client_elsewhere.__file__, plugin_node.url, minilm_bundle.path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = refused(plugin_node) if plugin_node.version.startswith("8.") else worked()
    assert found == expected


def refused(node: NodeState) -> Any:
    line = (
        f"the Python client is elasticsearch {VERSION}, {node.url} is Elasticsearch 8 and"
        " understands clients of 7 and 8; install one with: pip install 'elasticsearch>=8,<9'"
    )
    return {"connect": line, "others": [line] * 3}


def worked() -> Any:
    one = {
        "indexed": 3,
        "encoded again": 0,
        "best": {"bm25": "v", "dense": "v", "hybrid": "v"},
        "english": ["c", "v"],
        "explained": 1,
        "with a vector": 3,
        "deleted": 1,
        "awaited": "v",
        "by command": "v",
    }
    return {"cluster": one, "here": one}
