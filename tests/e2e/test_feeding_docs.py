"""What docs/feeding.md shows is what is printed: its commands run in their order, on each node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from densehook.bundle import Bundle
from densehook.elastic.checkpoints import CHECKPOINTS
from densehook.node import NodeState

PAGE = (Path(__file__).parent.parent.parent / "docs" / "feeding.md").read_text()
EXAMPLE = re.compile(r"```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
INDICES = ("passages", "parted", "kept")
SHELL = 'densehook() { "$PYTHON" -m densehook "$@"; }; export -f densehook; '


@pytest.fixture
def folder(minilm_bundle: Bundle, tmp_path: Path) -> Path:
    (tmp_path / "onnx_models").mkdir()
    (tmp_path / "onnx_models" / minilm_bundle.manifest.name).symlink_to(minilm_bundle.path)
    return tmp_path


@pytest.fixture
def without_its_indices(plugin_client: Elasticsearch) -> Iterator[None]:
    yield
    plugin_client.indices.delete(index=[*INDICES, CHECKPOINTS], ignore_unavailable=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_commands_print_what_the_page_shows(
    plugin_node: NodeState, plugin_client: Elasticsearch, folder: Path, without_its_indices: None
) -> None:
    own = {"PYTHON": sys.executable, "DENSEHOOK_ES_URL": plugin_node.url, "COLUMNS": "120"}
    printed = {}
    for command, shown in EXAMPLE.findall(PAGE):
        if command.startswith("until "):  # which is for nights
            continue
        done = subprocess.run(
            ["bash", "-c", SHELL + command],
            cwd=folder,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
        )
        printed[command] = done.stdout + done.stderr
        if shown:
            assert printed[command] == shown, command
    plugin_client.indices.refresh(index=[*INDICES, CHECKPOINTS])
    counts = {name: plugin_client.count(index=name)["count"] for name in INDICES}
    assert counts == {"passages": 3, "parted": 2, "kept": 2}
    (parts,) = [said for command, said in printed.items() if "--part $part/4" in command]
    assert parts.count("into parted") == 4
    (parts,) = [said for command, said in printed.items() if "--part $part/2" in command]
    assert parts.count("into passages") == 2
    kept = {hit["_id"] for hit in plugin_client.search(index=CHECKPOINTS)["hits"]["hits"]}
    assert kept == {"passages:1-of-2", "passages:2-of-2"}
    assert (folder / "still-dead.jsonl").read_text() == ""
