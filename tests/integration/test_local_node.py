"""The local node: one a folder, its data its own, ended only by its own pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from densehook import node
from densehook.elastic.connect import _greet, connect, elastic_errors
from densehook.errors import AuthenticationFailed, ElasticError, NodeError
from densehook.java import find_java
from densehook.node import process
from densehook.node.state import command_of

DISTRIBUTION = f"elasticsearch-{node.ELASTICSEARCH_VERSION}"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder with a blank in its name that the node's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="densehook node "))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        node.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def home(node_url: str) -> Iterator[Path]:
    """A folder beside that of the node which all integration tests share."""
    with temporary_home() as folder:
        yield folder


@pytest.fixture
def installed(node_url: str) -> Iterator[Path]:
    """A folder of the test's own, with Elasticsearch in it and no node."""
    shared = node.status()
    assert shared is not None
    with temporary_home() as folder:
        shutil.copytree(shared.home / DISTRIBUTION, folder / DISTRIBUTION)
        yield folder


def processes_of(home: Path) -> list[str]:
    commands = [command_of(int(each.name)) or "" for each in Path("/proc").glob("[0-9]*")]
    return [command for command in commands if f"{home}/elasticsearch" in command]


def test_a_node_keeps_its_data_over_stop_and_start(home: Path) -> None:
    shared = node.status()
    steps: list[str] = []
    first = node.start(home=home, progress=steps.append)
    assert steps == ["Fetching 8.19.21 through Maven", "Unpacking 8.19.21", "Starting 8.19.21"]
    assert node.status(home) == first
    connect(first.url).index(index="kept", id="1", document={"a": 1}, refresh=True)

    assert node.stop(home)
    assert not first.alive()
    assert node.status(home) is None
    assert not node.stop(home)

    second = node.start(home=home)
    assert second.pid != first.pid
    assert connect(second.url).get(index="kept", id="1")["_source"] == {"a": 1}
    # and the node of another folder never noticed
    assert shared is not None
    assert shared.alive()
    assert shared.url != second.url
    connect(shared.url)


def test_after_a_kill_the_node_is_known_to_be_gone_and_many_starts_give_one(home: Path) -> None:
    killed = node.start(home=home)
    os.kill(killed.pid, signal.SIGKILL)
    while killed.alive():
        time.sleep(0.05)
    assert node.status(home) is None

    with ThreadPoolExecutor(3) as callers:
        found = list(callers.map(lambda _: node.start(home=home), range(3)))
    assert len(set(found)) == 1
    assert found[0] == node.status(home)
    assert found[0].pid != killed.pid
    connect(found[0].url)


def test_the_jvm_has_what_the_environment_gives_it_and_the_heap_that_was_asked_for(
    client: Elasticsearch,
) -> None:
    [jvm] = client.nodes.info(metric="jvm")["nodes"].values()
    options = jvm["jvm"]["input_arguments"]
    assert set(os.environ["ES_JAVA_OPTS"].split()) <= set(options)
    assert [each for each in options if each.startswith("-Xmx")][-1] == "-Xmx1g"


def test_it_greets_as_every_elasticsearch_does(client: Elasticsearch) -> None:
    answer = client.info().body
    uuid = client.cluster.state(metric="metadata")["metadata"]["cluster_uuid"]
    assert {**answer, "version": answer["version"]["number"]} == {
        "name": "densehook",
        "cluster_name": "densehook",
        "cluster_uuid": uuid,
        "version": node.ELASTICSEARCH_VERSION,
        "tagline": "You Know, for Search",
    }
    assert set(answer["version"]) == {
        "number",
        "build_flavor",
        "build_type",
        "build_hash",
        "build_date",
        "build_snapshot",
        "lucene_version",
        "minimum_wire_compatibility_version",
        "minimum_index_compatibility_version",
    }
    assert client.ping()


def test_starting_what_runs_gives_what_runs(node_url: str) -> None:
    steps: list[str] = []
    assert node.start(progress=steps.append) == node.status()
    assert steps == []


def test_a_setting_that_is_none_fails_with_its_name_and_leaves_no_process(installed: Path) -> None:
    with pytest.raises(NodeError, match=r"did not start: .*no\.such\.setting") as caught:
        node.start(home=installed, settings={"no.such.setting": "1"})
    assert "\n" not in str(caught.value)
    assert node.status(installed) is None
    assert processes_of(installed) == []


def test_a_start_that_takes_too_long_leaves_no_process(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START_TIMEOUT_S", 3)
    with pytest.raises(NodeError, match=r"did not start in 3 s; see .*launcher\.log"):
        node.start(home=installed)
    assert node.status(installed) is None
    assert processes_of(installed) == []


def test_with_security_on_who_is_not_known_or_not_allowed_is_told_so(installed: Path) -> None:
    users = installed / DISTRIBUTION / "bin" / "elasticsearch-users"
    subprocess.run(
        [users, "useradd", "ann", "-p", "long enough"],
        env={**os.environ, "ES_JAVA_HOME": str(find_java(17))},
        check=True,
    )
    state = node.start(home=installed, settings={"xpack.security.enabled": "true"})
    with pytest.raises(AuthenticationFailed, match="does not accept a request without an API key"):
        connect(state.url)
    with pytest.raises(AuthenticationFailed, match="does not accept the API key given"):
        connect(state.url, "bm90OmFrZXk=")

    # The small distribution cannot make API keys (their index needs token filters that are not
    # in it), so a user of a file stands for a key without rights.
    ann = Elasticsearch(state.url, basic_auth=("ann", "long enough"))
    needed = r"403 .*granted by the index privileges \[.*write"
    with pytest.raises(ElasticError, match=needed), elastic_errors(ann):
        ann.index(index="passages", document={})
    _greet(ann)  # known, though not allowed to see the health
