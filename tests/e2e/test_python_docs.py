"""What docs/python.md and the README show is what Python does, on a real node, in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

import densehook
import tiny_models
from densehook.bundle import Bundle
from densehook.node import NodeState
from tiny_collection import write_beir

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "python.md"
BLOCKS = re.compile(r"```python\n(.*?)```", re.DOTALL)
CORPUS = [
    {"_id": "v", "title": "Vaccines", "text": "They train the immune system.", "lang": "en"},
    {"_id": "c", "title": "Cats", "text": "They sleep most of the day.", "lang": "en"},
]
REAL = {  # what the page says of a reader's own cluster, collection and model, and what is here
    'densehook.connect("https://search.example:9200", api_key="…")': "densehook.connect()",
    "path/to/beir/scifact": "beir",
    '"onnx_models/all-minilm-l6-v2.toml"': '"tiny.toml"',
    "layers=[3, 4, 6], dims=[128, 384]": "layers=[1, 2], dims=[16, 32]",
    "dims=256": "dims=16",
}


@pytest.fixture
def here(
    plugin_node: NodeState,
    plugin_client: Elasticsearch,
    minilm_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A working directory as the page has it, and the node for its cluster."""
    (tmp_path / "onnx_models").mkdir()
    (tmp_path / "onnx_models" / "all-minilm-l6-v2").symlink_to(minilm_bundle.path)
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, CORPUS)))
    write_beir(tmp_path / "beir")
    with (tmp_path / "beir" / "qrels" / "test.tsv").open("a") as qrels:
        qrels.write("q0\tv\t1\n")  # an index without any relevant document is refused
    tiny_models.make_bert(tmp_path / "model")
    tiny_models.describe(tmp_path / "model")
    (tmp_path / "tiny.toml").write_text('source = "model"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DENSEHOOK_ES_URL", plugin_node.url)
    yield
    for index in ("passages", "books"):
        plugin_client.indices.delete(index=index, ignore_unavailable=True)
        plugin_client.options(ignore_status=404).ingest.delete_pipeline(id=f"densehook-{index}")


def run(page: Path) -> dict[str, Any]:
    """The names a page leaves behind."""
    names: dict[str, Any] = {"texts": ["a text", "another"]}
    for number, block in enumerate(BLOCKS.findall(page.read_text()), start=1):
        for shown, real in REAL.items():
            block = block.replace(shown, real)
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    return names


def test_the_readmes_lines_end_with_a_hit(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    [block] = BLOCKS.findall((ROOT / "README.md").read_text())
    assert len([line for line in block.splitlines() if line.strip()]) <= 7
    run(ROOT / "README.md")
    assert "v  Vaccines · They train the immune system." in capsys.readouterr().out


def test_every_block_of_the_page_runs(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(PAGE)
    assert "v  Vaccines · They train the immune system." in capsys.readouterr().out
    assert names["report"].failed == 0
    assert names["why"] is None  # the document was deleted further up


def test_the_page_knows_every_public_name_it_speaks_of() -> None:
    page = PAGE.read_text()
    spoken = set(re.findall(r"densehook\.([A-Z]\w+|[a-z]\w*)\(", page))
    assert spoken <= set(densehook.__all__)
    assert f"{len(densehook.__all__)} of them" in page
