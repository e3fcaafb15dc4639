"""Two versions of the plugin in one cluster, as in the middle of a rolling upgrade."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from densehook import node
from densehook.bundle import Bundle
from densehook.elastic.checks import State, checked
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.java import find_java
from densehook.node.launching import java_of
from densehook.node.process import free_ports
from versions import VERSIONS

SOURCES = Path(__file__).parents[2] / "plugin" / "elasticsearch" / "src" / "main" / "java"
WIRE = Path("org") / "densehook" / "elasticsearch" / "service" / "Wire.java"
VERSION = int(re.findall(r" VERSION = (\d+);", (SOURCES / WIRE).read_text())[0])
# the next version of the plugin: it adds to every message, and wants it back from its like
NEXT = {
    f" VERSION = {VERSION};": f" VERSION = {VERSION + 1};",
    "writer.write(body);": 'writer.write(body); body.writeString("of the next");',
    "return reader.read(aware, version);": """
        T message = reader.read(aware, version);
        if (version == VERSION && !aware.readString().equals("of the next")
            || content.read() != -1) {
          throw new IOException("version " + version + " is not what was written");
        }
        return message;
    """,
}


def next_plugin(version: str, lib: Path, scratch: Path) -> Path:
    """The built zip with its wire format, and its own number, one version on."""
    archive = node.built_plugin(version)
    assert archive is not None, f"there is no zip for {version}; build it with: make plugin"
    source = (SOURCES / WIRE).read_text()
    for old, new in NEXT.items():
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    (scratch / "Wire.java").write_text(source)
    with zipfile.ZipFile(archive) as content:
        parts = {name: content.read(name) for name in content.namelist() if name[-1] != "/"}
    (own,) = (name for name in parts if name.startswith("densehook-"))
    (scratch / own).write_bytes(parts[own])
    release = java_of(version)
    javac = find_java(release, "javac") / "bin" / "javac"
    command = [javac, "--release", str(release), "-cp", f"{lib}/*:{scratch / own}"]
    command += ["-d", scratch / "classes", scratch / "Wire.java"]
    subprocess.run(command, check=True, capture_output=True)
    parts[own] = _replaced(parts[own], scratch / "classes")
    descriptor = "plugin-descriptor.properties"
    lines = parts[descriptor].decode().splitlines()
    lines = ["version=99.0.0" if line.startswith("version=") else line for line in lines]
    parts[descriptor] = "\n".join(lines).encode()
    next_ = scratch / f"next-{archive.name}"
    with zipfile.ZipFile(next_, "w") as content:
        for name, data in parts.items():
            content.writestr(name, data)
    return next_


def _replaced(jar: bytes, classes: Path) -> bytes:
    """The jar with the classes of a folder in the place of its own."""
    compiled = {str(path.relative_to(classes)): path for path in classes.rglob("*.class")}
    assert compiled
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, compiled[name].read_bytes() if name in compiled else old.read(name))
    return out.getvalue()


@pytest.fixture(scope="module", params=VERSIONS)
def two_versions(
    request: pytest.FixtureRequest, tiny_bundle: Bundle
) -> Iterator[tuple[Elasticsearch, Elasticsearch]]:
    """Clients of a cluster's two nodes; the second has the next version of the plugin."""
    version = request.param
    ports = free_ports(2)
    clients: list[Elasticsearch] = []
    lib = Path()
    with ExitStack() as stack:
        for name in ("older", "newer"):
            home = Path(tempfile.mkdtemp(prefix=f"densehook-{name}-"))
            home.chmod(0o755)
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            stack.callback(node.stop, home)
            archive = node.built_plugin(version)
            if clients:
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                archive = next_plugin(version, lib, scratch)
            assert archive is not None, f"there is no zip for {version}: make plugin"
            settings = {
                "discovery.type": "multi-node",
                "node.name": name,
                "transport.port": str(ports[len(clients)]),
                "discovery.seed_hosts": f"127.0.0.1:{ports[0]}",
            }
            if not clients:
                settings["cluster.initial_master_nodes"] = name
            started = node.start(
                version,
                home,
                heap="512m",
                settings=settings,
                plugins=[archive],
                bundles=[tiny_bundle.path],
            )
            lib = started.config.parent / "lib"
            clients.append(connect(started.url))
        older, newer = clients
        older.cluster.health(wait_for_nodes="2", timeout="120s")
        reload_encoders(older)
        yield older, newer


def test_each_version_reads_what_the_other_says_of_its_encoders(
    two_versions: tuple[Elasticsearch, Elasticsearch], tiny_bundle: Bundle
) -> None:
    plugins = two_versions[0].cat.plugins(format="json", h="component,version")
    versions = {each["version"] for each in plugins if each["component"] == "densehook"}
    assert len(versions) == 2
    assert "99.0.0" in versions
    (said,) = (each for each in checked(two_versions[0]) if each.subject == "plugin")
    assert (said.state, said.seen) == (State.NOTE, f"of 2 versions: {', '.join(sorted(versions))}")
    for client in two_versions:
        reload_encoders(client)
        found = encoders_of(client) or []
        assert {(e.node, e.name, e.fingerprint) for e in found} == {
            (name, tiny_bundle.manifest.name, tiny_bundle.manifest.fingerprint)
            for name in ("older", "newer")
        }


def test_each_version_writes_and_searches_the_shards_of_the_other(
    two_versions: tuple[Elasticsearch, Elasticsearch], tiny_bundle: Bundle
) -> None:
    older, newer = two_versions
    create_index(older, "both", tiny_bundle.manifest, inputs=["text"], shards=4, in_cluster=True)
    for i in range(12):
        client = two_versions[i % 2]
        client.index(index="both", id=str(i), document={"text": f"cats number {i}"})
    older.indices.refresh(index="both")
    # _cat/shards of 9.1.10 never answers for vectors on two nodes, with or without the plugin
    found = older.search_shards(index="both")
    where = {found["nodes"][each["node"]]["name"] for shard in found["shards"] for each in shard}
    assert where == {"older", "newer"}
    hybrid = {"hybrid": {"query": "cats", "fields": ["text", "embedding"]}}
    answers = [
        client.search(index="both", retriever=hybrid, explain=True, size=10)["hits"]["hits"]
        for client in two_versions
    ]
    assert [hit["_id"] for hit in answers[0]] == [hit["_id"] for hit in answers[1]]
    assert len(answers[0]) == 10
    for hit in (*answers[0], *answers[1]):
        assert "contribution" in str(hit["_explanation"])
    for client in (older, newer):
        dense = {"dense": {"field": "embedding", "text": "cats number 7", "k": 12}}
        found = client.search(index="both", query=dense, size=12)
        assert found["_shards"]["failed"] == 0
        assert found["hits"]["hits"][0]["_id"] == "7"
