"""What pages of requests show is what a node answers: the requests run in their order."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from densehook import node
from densehook.bundle import Bundle

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "elasticsearch.md").read_text()
ENCODERS = (ROOT / "docs" / "encoders.md").read_text()
PAGES = {
    "elasticsearch": PAGE,
    "long-documents": (ROOT / "docs" / "long-documents.md").read_text(),
    "encoders": ENCODERS[: ENCODERS.index("\n## sparse\n")],  # the other kinds have nodes elsewhere
}
EXAMPLE = re.compile(r"```sh\n(curl .*?)```(?:\n\n```json\n(.*?)```)?", re.DOTALL)
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
REST = "…"  # for the rest of an object, a list or a text, and for any value
COUNTED = {"took", "ingest", "query"}  # below these keys numbers are this node's own


@pytest.mark.parametrize("name", PAGES)
def test_the_requests_answer_what_the_page_shows(
    plugin_node: node.NodeState, minilm_bundle: Bundle, left_as_it_was: None, name: str
) -> None:
    page = FINGERPRINT.sub(minilm_bundle.manifest.fingerprint, PAGES[name])
    faults = []
    for number, (command, shown) in enumerate(EXAMPLE.findall(page), start=1):
        expected = parse(shown) if shown else {}
        status, answer = run(command, plugin_node.url.removeprefix("http://"))
        if status not in ([expected["status"]] if "status" in expected else [200, 201]):
            faults.append(f"{number}: {command}\nHTTP {status}: {json.dumps(answer)[:500]}")
        faults += [f"{number}: {command}\n{fault}" for fault in differences(expected, answer)]
    assert not faults, "\n\n".join(faults)


def test_every_setting_of_the_node_is_in_the_table() -> None:
    java = ROOT / "plugin/elasticsearch/src/main/java/org/densehook/elasticsearch/service"
    settings = re.findall(r'"(densehook\.[a-z_.]+)"', (java / "EncoderSettings.java").read_text())
    assert settings
    for setting in settings:
        assert f"| `{setting}` |" in PAGE, setting


@pytest.fixture
def left_as_it_was(plugin_client: Elasticsearch) -> Iterator[None]:
    """Deletes the indices and pipelines that the pages make."""
    yield
    pages = "".join(PAGES.values())
    for index in re.findall(r"-X PUT localhost:9200/([a-z]+) ", pages):
        plugin_client.indices.delete(index=index, ignore_unavailable=True)
    for pipeline in re.findall(r"-X PUT localhost:9200/_ingest/pipeline/([a-z]+) ", pages):
        plugin_client.options(ignore_status=404).ingest.delete_pipeline(id=pipeline)
    plugin_client.cluster.put_settings(persistent={"densehook.*": None})


def run(command: str, address: str) -> tuple[int, Any]:
    """The HTTP status and the answer of a curl command."""
    assert command.count("curl ") == 1 and "localhost:9200" in command, command
    command = command.replace("curl ", r"curl -sS -w '\n%{http_code}' ", 1)
    command = command.replace("localhost:9200", address)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.stderr)
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


def parse(shown: str) -> Any:
    """An answer of the page; … outside of texts becomes one, so that it is JSON."""

    def quoted(found: re.Match[str]) -> str:
        return found["text"] or (f'"{REST}": "{REST}"' if found["brace"] else f'"{REST}"')

    token = rf'(?P<text>"(?:[^"\\]|\\.)*")|{REST}(?=\s*(?P<brace>\}})?)'
    return json.loads(re.sub(token, quoted, shown))


def differences(shown: Any, real: Any, at: str = "", counted: bool = False) -> Iterator[str]:
    """Where the answer is not what is shown; it may hold more keys than that."""
    if isinstance(shown, dict) and isinstance(real, dict):
        for key, value in shown.items():
            found = [name for name in real if fits(key, name)]
            if not found:
                yield f"{at}.{key} is missing; there are {sorted(real)}"
            else:
                counts = counted or key in COUNTED
                yield from differences(value, real[found[0]], f"{at}.{key}", counts)
    elif isinstance(shown, list) and isinstance(real, list):
        cut = shown[-1:] == [REST]
        items = shown[: len(shown) - cut]
        if len(real) < len(items) or (len(real) > len(items) and not cut):
            yield f"{at} has {len(real)} items, shown are {len(items)}"
        for i, (one, other) in enumerate(zip(items, real, strict=False)):
            yield from differences(one, other, f"{at}[{i}]", counted)
    elif not same(shown, real, counted):
        yield f"{at} is {real!r}, shown is {shown!r}"


def same(shown: Any, real: Any, counted: bool) -> bool:
    if shown == REST:
        return True
    if isinstance(shown, str) and isinstance(real, str):
        return fits(shown, real)
    if isinstance(shown, (int, float)) and isinstance(real, (int, float)):
        return counted or bool(real == pytest.approx(shown, rel=1e-3))
    return bool(shown == real)


def fits(shown: str, real: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.split(REST))
    return re.fullmatch(pattern, real, re.DOTALL) is not None
