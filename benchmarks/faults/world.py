"""A node that may be killed and whose disk may be full, and what an index in it holds."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from elasticsearch import ApiError, Elasticsearch, TransportError

from densehook import node
from densehook.bundle import Bundle
from densehook.elastic.cluster import reload_encoders
from densehook.elastic.connect import connect
from densehook.elastic.indices import provenance_of
from densehook.elastic.paging import pages
from densehook.hooks.kinds.dense import parsed
from densehook.node.state import data_folder

# such a node lives for seconds: the compiler for long lives costs it more than it gives
os.environ.setdefault("ES_JAVA_OPTS", "-XX:TieredStopAtLevel=1")

_DISK = "512m"
_FULL_S = 2.0
_PAGE = 1000


@dataclass
class World:
    """The node, in a folder of its own; its data is on a small disk where one can be mounted."""

    home: Path
    state: node.NodeState
    small_disk: bool
    _mending: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where the node answers, when it does."""
        return self.state.url

    def kill(self) -> None:
        """Ends the node as no signal can be caught; it is started again, with its data."""
        with self._lock:
            if self.state.alive():
                os.kill(self.state.pid, signal.SIGKILL)
                self._in_background(self._start)

    def fill_disk(self) -> None:
        """Leaves no byte on the node's disk, for a while."""
        if self.small_disk:
            _fill(self._filler)
            self._in_background(self._make_room)

    def mended(self) -> Elasticsearch:
        """A client of the node, once it runs and has all its shards."""
        while self._mending:
            self._mending.pop().join()
        client = connect(self.url)
        client.cluster.reroute(retry_failed=True, metric="none")
        client.cluster.health(wait_for_status="yellow", timeout="60s")
        return client

    @property
    def _filler(self) -> Path:
        return self.state.data / "filler"

    def _in_background(self, work: object) -> None:
        thread = threading.Thread(target=work)  # type: ignore[arg-type]
        self._mending.append(thread)
        thread.start()

    def _start(self) -> None:
        with self._lock:
            while self.state.alive():
                time.sleep(0.05)
            self.state = node.start(self.state.version, self.home)

    def _make_room(self) -> None:
        time.sleep(_FULL_S)
        self._filler.unlink(missing_ok=True)
        # shards that failed too often are tried again when an operator says so
        with contextlib.suppress(ApiError, TransportError):
            Elasticsearch(self.url, max_retries=0).cluster.reroute(retry_failed=True, metric="none")


@contextmanager
def world(
    version: str = node.ELASTICSEARCH_VERSION, *, serves: Bundle | None = None
) -> Iterator[World]:
    """A running node, gone afterwards; with the plugin, where it ``serves`` a bundle."""
    plugins = [] if serves is None else [_plugin(version)]
    bundles = [] if serves is None else [serves.path]
    home = Path(tempfile.mkdtemp(prefix="densehook-faults-"))
    home.chmod(0o755)  # Elasticsearch runs as another user where this runs as root
    data = home / data_folder(version)
    data.mkdir()
    small_disk = _mount(data)
    made: World | None = None
    try:
        started = node.start(version, home, plugins=plugins, bundles=bundles)
        made = World(home, started, small_disk)
        if serves is not None:
            reload_encoders(connect(started.url))
        yield made
    finally:
        for thread in made._mending if made else []:
            thread.join()
        node.stop(home)
        if small_disk:
            subprocess.run(["umount", "--lazy", str(data)], check=True)
        shutil.rmtree(home, ignore_errors=True)


def _plugin(version: str) -> Path:
    archive = node.built_plugin(version)
    if archive is None:
        raise SystemExit("the plugin is not built; build it with: make plugin")
    return archive


def _mount(folder: Path) -> bool:
    """Puts a small disk of memory there; whether that is permitted."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def _fill(path: Path) -> None:
    block = bytes(1 << 20)
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(block) == len(block):
            pass


@dataclass(frozen=True)
class Held:
    """What an index holds: of each document a hash of its source, and its vector."""

    documents: dict[str, str]
    vectors: dict[str, np.ndarray]
    doubled: int

    @property
    def without_vector(self) -> int:
        """How many documents have none."""
        return len(self.documents) - len(self.vectors)

    def farthest(self, other: Held) -> float:
        """The largest difference of a number in vectors that both hold; 0 where all are equal."""
        both = self.vectors.keys() & other.vectors.keys()
        return max(
            (float(abs(self.vectors[i] - other.vectors[i]).max()) for i in both), default=0.0
        )


def held_by(client: Elasticsearch, index: str) -> Held:
    """All documents of an index."""
    client.indices.refresh(index=index)
    (field,) = provenance_of(client, index).vector_fields.values()
    documents: dict[str, str] = {}
    vectors: dict[str, np.ndarray] = {}
    rows = 0
    for hits in pages(client, index, {"match_all": {}}, ["*"], _PAGE):
        for hit in hits:
            rows += 1
            source = hit["_source"]
            if (vector := source.pop(field.name, None)) is not None:
                vectors[hit["_id"]] = np.asarray(parsed(vector), np.float32)
            said = json.dumps(source, sort_keys=True)
            documents[hit["_id"]] = hashlib.sha256(said.encode()).hexdigest()
    return Held(documents, vectors, rows - len(documents))
