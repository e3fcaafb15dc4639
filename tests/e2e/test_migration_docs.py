"""What docs/migration.md shows is what is printed: its commands run in their order, on a node."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from elasticsearch import Elasticsearch

import densehook
from command_line import running_in
from densehook.bundle import Bundle

PAGE = (Path(__file__).parent.parent.parent / "docs" / "migration.md").read_text()
EXAMPLE = re.compile(r"```(sh|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
FAULTY = {"densehook doctor articles"}
"""Commands that end with 1, since they find a fault."""


def test_the_commands_print_what_the_page_shows(
    node_url: str, client: Elasticsearch, minilm_bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "onnx_models").mkdir()
    (tmp_path / "onnx_models" / minilm_bundle.manifest.name).symlink_to(minilm_bundle.path)
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
            for line, real in zip(lines(shown), lines(done.stdout), strict=True):
                assert fits(line, real), f"{command}\nshown:   {line}\nprinted: {real}"
    finally:
        client.indices.delete(index="articles", ignore_unavailable=True)


def lines(text: str) -> list[str]:
    """Lines with single blanks: a table is as wide as its longest cell."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def fits(shown: str, real: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, real) is not None
