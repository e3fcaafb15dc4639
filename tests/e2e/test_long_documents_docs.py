"""What docs/long-documents.md shows of the command line and of Python, on each node, in its order.

Its requests are those of test_elasticsearch_docs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

import densehook
from command_line import Run, running_in, succeeded
from densehook.bundle import Bundle
from densehook.node import NodeState
from shown_page import EXAMPLE, require_shown
from tiny_collection import write_judged

PAGE = (Path(__file__).parent.parent.parent / "docs" / "long-documents.md").read_text()
INDICES = ("articles", "cases")
FILLING = " ".join(f"Whale number {n} was seen off the coast that year." for n in range(40))
CORPUS = [
    {
        "_id": "whales",
        "title": "Whales",
        "text": f"Whales breathe air and come up for it. {FILLING}"
        " A blue whale eats four tonnes of krill on a single day.",
    },
    {"_id": "cats", "title": "Cats", "text": "They sleep most of the day, and hunt at night."},
]
JUDGED = {"what do whales eat": "whales", "when do cats hunt": "cats"}


@pytest.fixture
def run(
    plugin_node: NodeState,
    plugin_client: Elasticsearch,
    minilm_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """The command line where the page's files are, with the node for its cluster."""
    (tmp_path / "onnx_models").mkdir()
    (tmp_path / "onnx_models" / minilm_bundle.manifest.name).symlink_to(minilm_bundle.path)
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, CORPUS)))
    queries = {f"q{number}": text for number, text in enumerate(JUDGED)}
    relevant = {query: [id_] for query, id_ in zip(queries, JUDGED.values(), strict=True)}
    write_judged(tmp_path / "judged", queries, relevant)
    monkeypatch.chdir(tmp_path)
    yield running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url)
    for index in INDICES:
        plugin_client.indices.delete(index=index, ignore_unavailable=True)
        plugin_client.options(ignore_status=404).ingest.delete_pipeline(id=f"densehook-{index}")


def test_the_commands_print_what_the_page_shows(run: Run, plugin_client: Elasticsearch) -> None:
    blocks = [each[1:] for each in EXAMPLE.findall(PAGE) if each[1].startswith("densehook ")]
    assert len(blocks) >= 3
    for block, shown in blocks:
        commands = [shlex.split(line)[1:] for line in block.splitlines()]
        printed = "".join(succeeded(run(*each)) for each in commands)
        if shown:
            require_shown(block, shown, printed)
    mapped = plugin_client.indices.get_mapping(index="cases")["cases"]["mappings"]
    assert mapped["properties"]["passages"]["properties"]["section"] == {"type": "keyword"}


def test_python_does_what_the_page_shows(
    run: Run, plugin_client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, block, _ in EXAMPLE.findall(PAGE):
        if block.startswith("densehook create"):
            for line in block.splitlines():
                succeeded(run(*shlex.split(line)[1:]))
    names = {"densehook": densehook, "es": plugin_client}
    blocks = [(block, shown) for kind, block, shown in EXAMPLE.findall(PAGE) if kind == "python"]
    assert any(shown for _, shown in blocks)
    for block, shown in blocks:
        exec(block, names)
        printed = capsys.readouterr().out
        if shown:
            require_shown(block, shown, printed)
