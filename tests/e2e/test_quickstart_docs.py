"""What docs/quickstart.md says is done: its commands and its Python, in their order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

import tiny_models
from command_line import running_in, succeeded
from tiny_collection import small_collection, write_beir

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

PAGE = (Path(__file__).parent.parent.parent / "docs" / "quickstart.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL)
INDEX = "quickstart-passages"


def test_the_page_is_walked_from_a_model_to_a_number(
    node_url: str, client: Elasticsearch, tmp_path: Path
) -> None:
    tiny_models.make_bert(tmp_path / "all-MiniLM-L6-v2")
    tiny_models.describe(tmp_path / "all-MiniLM-L6-v2")
    documents = small_collection().documents()
    rows = [{"_id": each.id, **each.fields, "lang": "en"} for each in documents]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "corpus.parquet")
    write_beir(tmp_path / "judged")
    env = {**os.environ, "DENSEHOOK_ES_URL": node_url}
    run = running_in(tmp_path, DENSEHOOK_ES_URL=node_url)
    shown = []
    try:
        for language, block in BLOCKS:
            text = block.replace("sentence-transformers/", "").replace("passages", INDEX)
            if language == "python":
                (tmp_path / "page.py").write_text(text)
                page = [sys.executable, "page.py"]
                shown.append(subprocess.check_output(page, cwd=tmp_path, env=env, text=True))
                continue
            for line in text.splitlines():
                if not line.startswith("export "):
                    command = shlex.split(line)
                    assert command[0] == "densehook"
                    shown.append(succeeded(run(*command[1:])))
    finally:
        client.indices.delete(index=INDEX, ignore_unavailable=True)
    exported, checked, created, ingested, found, explained, printed, measured = shown
    assert "onnx_models/all-minilm-l6-v2.toml: its recipe" in exported
    assert "plugin" in checked
    assert INDEX in created
    assert f"indexed {len(rows)} documents into {INDEX}, 0 failed" in ingested
    assert len(found.splitlines()) == 11
    assert len(explained.splitlines()) == 6
    assert len(printed.splitlines()) == 5
    assert [line.split()[0] for line in measured.splitlines()[:5]] == [
        "system",
        "bm25",
        "dense",
        "rrf",
        "linear",
    ]
