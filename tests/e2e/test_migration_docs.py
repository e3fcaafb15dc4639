"""What docs/migration.md shows is what is printed: its commands run in their order, on a node."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

import densehook
from command_line import running_in
from densehook.bundle import Bundle
from densehook.elastic.checkpoints import CHECKPOINTS
from shown_page import EXAMPLE, require_shown
from tiny_collection import write_judged

PAGE = (Path(__file__).parent.parent.parent / "docs" / "migration.md").read_text()
FAULTY = {
    "densehook doctor articles",
    "densehook migrate news --encoder tiny-bert --collection judged",
}
"""Commands that end with 1, since they find a fault."""
JUDGED = {
    "how does immunity come about": "1",
    "sleepy pets": "2",
    "wet weather": "3",
    "winter weather": "5",
}
"""Questions, and the document that answers each."""
ARTICLES = {
    "1": {"title": "Vaccines", "body": "They train the immune system.", "year": 2019},
    "2": {"title": "Cats", "body": "Lions are cats, too."},
    "3": {"title": "Rain", "body": "Water falls from clouds."},
    "4": {"year": 2020},
    "5": {"title": "Snow", "body": "Ice falls from clouds."},
}


def test_the_commands_print_what_the_page_shows(
    node_url: str,
    client: Elasticsearch,
    minilm_bundle: Bundle,
    tiny_bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "onnx_models").mkdir()
    for bundle in (minilm_bundle, tiny_bundle):
        (tmp_path / "onnx_models" / bundle.manifest.name).symlink_to(bundle.path)
    queries = {f"q{number}": text for number, text in enumerate(JUDGED)}
    relevant = dict(zip(queries, JUDGED.values(), strict=True))
    write_judged(tmp_path / "judged", queries, relevant)
    (tmp_path / "articles.jsonl").write_text(
        "".join(f"{json.dumps({'_id': id_, **each})}\n" for id_, each in ARTICLES.items())
    )
    monkeypatch.chdir(tmp_path)
    run = running_in(tmp_path, DENSEHOOK_ES_URL=node_url)
    try:
        for language, command, shown in EXAMPLE.findall(PAGE):
            if language == "python":
                encoder = densehook.load(minilm_bundle.path)
                exec(command, {"densehook": densehook, "es": client, "encoder": encoder})
                continue
            if command.startswith("curl "):
                asked = command.replace("curl ", "curl -sSf ", 1)
                asked = asked.replace("localhost:9200", node_url.removeprefix("http://"))
                subprocess.run(["bash", "-c", asked], check=True, capture_output=True)
                continue
            done = run(*shlex.split(command)[1:])
            assert done.returncode == (command.strip() in FAULTY), (command, done.stderr)
            require_shown(command, shown, done.stdout)
    finally:
        made = client.indices.get(index="news-*,press-*").body
        client.indices.delete(index=["articles", CHECKPOINTS, *made], ignore_unavailable=True)
